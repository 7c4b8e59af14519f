/** What ends when a signal is aborted. */
export interface Abortable {
  /** The signal is aborted. */
  aborted(): void;
}

/** The calls that end with one signal. Node.js warns of a leak if each of more than ten listens by itself. */
class Listener {
  readonly calls = new Set<Abortable>();

  handleEvent(): void {
    for (const call of this.calls) {
      try {
        call.aborted();
      } catch (error) {
        // As if each were a listener: an error of one does not keep the others running.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

const listeners = new WeakMap<AbortSignal, Listener>();

/** Tells a call when the signal is aborted, once. */
export function endWith(signal: AbortSignal, call: Abortable): void {
  let listener = listeners.get(signal);
  if (!listener) {
    listeners.set(signal, (listener = new Listener()));
    signal.addEventListener('abort', listener);
  }
  listener.calls.add(call);
}

/** Tells the call no more. */
export function leave(signal: AbortSignal, call: Abortable): void {
  const listener = listeners.get(signal);
  if (!listener?.calls.delete(call) || listener.calls.size > 0) return;
  listeners.delete(signal);
  signal.removeEventListener('abort', listener);
}
