/** The token of the options of the console. */
export const CONSOLE_OPTIONS = Symbol('nestjs-grpc-lb console options');
