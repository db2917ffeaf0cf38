import type { ActorRef } from "@mini-otp/runtime";

export interface LightExportsHost {
  /** Whether it means one life of a light actor, or whichever has its id; undefined for what is not light. */
  light(ref: ActorRef): "life" | "id" | undefined;
  monitor(ref: ActorRef, listener: () => void): () => void;
}

/** Above every number that actors with a thread of their own have here, and within what a reference may have. */
const FROM = 2 ** 29;
const MOST = 2 ** 30 - 1;

/**
 * Numbers for the light actors of this node whose references have left it: their own are unique only within a partition. Each
 * is kept until that life ends.
 */
export class LightExports {
  readonly #host: LightExportsHost;
  readonly #numbers = new Map<string, number>();
  readonly #refs = new Map<number, { readonly ref: ActorRef; end: () => void }>();
  #last = FROM - 1;

  constructor(host: LightExportsHost) {
    this.#host = host;
  }

  isOne(ref: ActorRef): boolean {
    return this.#host.light(ref) !== undefined;
  }

  /** The number of a light actor, from now on its own. */
  numberOf(ref: ActorRef): number {
    const key = `${ref.address}/${ref.uid}/${ref.id}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#last === MOST ? FROM : this.#last + 1;
    this.#last = number;
    this.#numbers.set(key, number);
    const exported = { ref, end: () => {} };
    this.#refs.set(number, exported);
    // A reference by id outlives each life.
    if (this.#host.light(ref) === "life") {
      exported.end = this.#host.monitor(ref, () => {
        this.#numbers.delete(key);
        this.#refs.delete(number);
      });
    }
    return number;
  }

  /** Undefined for one that has ended, and for what is no number of a light actor. */
  ref(number: number): ActorRef | undefined {
    return this.#refs.get(number)?.ref;
  }

  close(): void {
    for (const { end } of this.#refs.values()) end();
  }
}
