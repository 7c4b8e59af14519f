/** Half of a surrogate pair: of a text that was cut within an emoji, or that JSON has spelled out. */
const UNPAIRED = /[\uD800-\uDFFF]/gu;

interface WithDetails {
  readonly details?: string | undefined;
}

/**
 * A status whose details grpc-js can send. It encodes them by `encodeURI`, which throws for half of a surrogate pair: then
 * the call does not end, and the process does. Handlers put what clients send into errors, whole or cut.
 */
export function withSendableDetails<Ending extends WithDetails>(ending: Ending): Ending {
  const { details } = ending;
  if (typeof details !== 'string') return ending;
  const sendable = details.replace(UNPAIRED, '\uFFFD');
  return sendable === details ? ending : { ...ending, details: sendable };
}
