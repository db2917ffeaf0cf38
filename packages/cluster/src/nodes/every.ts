/** Ends what `every` began. */
export type Stop = () => void;

const EARLY_MS = 2;

/**
 * Runs a task again and again, at multiples of `periodMs`: a node that rests wakes once for all that is due, where timers that
 * began at different times would wake it for each. It keeps no process alive.
 */
export function every(periodMs: number, task: () => void): Stop {
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    const restMs = periodMs - (performance.now() % periodMs);
    // A timer may be early by less than its millisecond.
    timer = setTimeout(run, Math.ceil(restMs < EARLY_MS ? restMs + periodMs : restMs)).unref();
  };
  const run = (): void => {
    wait();
    task();
  };
  wait();
  return () => clearTimeout(timer);
}
