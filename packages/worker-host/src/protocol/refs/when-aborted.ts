interface Waiting {
  readonly listeners: Set<() => void>;
  readonly onAbort: () => void;
}

const waitingFor = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `listener` once, when the signal is aborted. Returns a function that removes it. Any number of them share one
 * listener of the signal, because Node warns of a leak at eleven.
 */
export function whenAborted(signal: AbortSignal, listener: () => void): () => void {
  const { listeners, onAbort } = waitingFor.get(signal) ?? listenTo(signal);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    signal.removeEventListener("abort", onAbort);
    waitingFor.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const listeners = new Set<() => void>();
  const onAbort = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const waiting = { listeners, onAbort };
  waitingFor.set(signal, waiting);
  signal.addEventListener("abort", onAbort, { once: true });
  return waiting;
}
