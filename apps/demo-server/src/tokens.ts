/** `host:port` under which this backend listens. */
export const ADDRESS = Symbol('ADDRESS');
