interface Responses {
  read(): unknown;
}

/**
 * Reads the messages that wait in the buffer of a stream of responses that has failed, so that its listeners get them
 * before its end: grpc-js tells the error at once, however slow its reader is.
 */
export function readRest(responses: Responses): void {
  while (responses.read() !== null);
}
