/** `host:port` under which this backend listens. */
export const ADDRESS = Symbol('ADDRESS');
/** The port of the metrics; 0 for none. */
export const METRICS_PORT = Symbol('METRICS_PORT');
