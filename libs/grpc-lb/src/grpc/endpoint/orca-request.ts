/** Wire types of protobuf. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;

export const STREAM_CORE_METRICS_PATH = '/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics';

/** xds.service.orca.v3.OrcaLoadReportRequest, whose only field here is a google.protobuf.Duration. */
export function encodeReportRequest(intervalMs: number): Buffer {
  const seconds = Math.floor(intervalMs / 1000);
  const nanos = Math.round((intervalMs - seconds * 1000) * 1e6);
  const duration = [...field(1, seconds), ...field(2, nanos)];
  return Buffer.from([(1 << 3) | LENGTH_DELIMITED, duration.length, ...duration]);
}

function field(id: number, value: number): number[] {
  if (value === 0) return [];
  const bytes = [(id << 3) | VARINT];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
