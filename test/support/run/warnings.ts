import { onTestFinished } from 'vitest';

/** Reads the warnings of the process since the test called this. Each is emitted a turn after its cause. */
export function warnings(): () => Promise<string[]> {
  const messages: string[] = [];
  const onWarning = ({ message }: Error): unknown => messages.push(message);
  process.on('warning', onWarning);
  onTestFinished(() => void process.off('warning', onWarning));
  return async () => {
    await new Promise(setImmediate);
    return messages;
  };
}
