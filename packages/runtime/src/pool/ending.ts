/**
 * What ends a task before its result: as much of an AbortController and its signal as piscina asks for. A real one takes
 * longer to make than a tiny task to run.
 */
export class Ending {
  aborted = false;
  /** An AbortSignal has one. */
  readonly reason = undefined;
  #listener: (() => void) | undefined;

  /** Piscina adds one listener for each task. */
  addEventListener(_type: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.#listener?.();
  }
}
