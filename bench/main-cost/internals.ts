/** Parts of the packages that they do not export. */
export async function internals() {
  const at = (path: string): string => new URL(`../../../packages/${path}`, import.meta.url).href;
  const { Timers } = (await import(
    at("worker-host/dist/loop/timers.js")
  )) as typeof import("#worker-host/loop/timers.js");
  const { ProcessSignals } = (await import(
    at("runtime/dist/signals/process-signals.js")
  )) as typeof import("#runtime/signals/process-signals.js");
  return { Timers, ProcessSignals };
}
