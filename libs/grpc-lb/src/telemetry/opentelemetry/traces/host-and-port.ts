const PORT = /^(.*[^:]|\[.*\]):(\d{1,5})$/;

/** The parts of `host:port` and `[ipv6]:port`; the path of `unix:path`. */
export function hostAndPort(text: string): { readonly address: string; readonly port: number | undefined } {
  if (text.startsWith('unix:')) return { address: text.slice('unix:'.length), port: undefined };
  const [, host = text, port] = PORT.exec(text) ?? [];
  return { address: host.replace(/^\[(.*)\]$/, '$1'), port: port === undefined ? undefined : Number(port) };
}
