import type { Caps, MemorySample } from "../guard/heap-judgement.js";

/** A handler during which so much of a cap was added has filled the thread. The code of others adds less meanwhile: none of it runs. */
const MUCH_SHARE = 1 / 8;

/**
 * By how much a thread has grown while one handler ran. How long it ran says nothing: it may have waited for a core, or
 * for a collection of what others hold.
 */
export class HandlerGrowth {
  #handler: number | undefined;
  #least: MemorySample = { heapMb: 0, offHeapMb: 0 };
  #isMuch = false;

  /** A sample of the thread. `handler`: which one runs, a number that none had before; undefined while none does. */
  sampled(handler: number | undefined, { heapMb, offHeapMb }: MemorySample, { heapCapMb, offHeapCapMb }: Caps): void {
    const isSame = handler !== undefined && handler === this.#handler;
    this.#handler = handler;
    const least = isSame ? this.#least : { heapMb, offHeapMb };
    this.#isMuch =
      heapMb - least.heapMb > MUCH_SHARE * heapCapMb || offHeapMb - least.offHeapMb > MUCH_SHARE * offHeapCapMb;
    this.#least = {
      heapMb: Math.min(heapMb, least.heapMb),
      offHeapMb: Math.min(offHeapMb, least.offHeapMb),
    };
  }

  /** The handler that ran at the last sample, from its first sample to that one. */
  get isMuch(): boolean {
    return this.#isMuch;
  }

  forget(): void {
    this.#handler = undefined;
    this.#isMuch = false;
  }
}
