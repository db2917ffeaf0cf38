import type { ActorRef } from "@mini-otp/runtime";

export interface LightExportsHost {
  /** Whether it means one life of a light actor, or whichever has its id; undefined for what is not light. */
  light(ref: ActorRef): "life" | "id" | undefined;
  /** False once no further life of it begins. */
  lives(ref: ActorRef): boolean;
  monitor(ref: ActorRef, listener: () => void): () => void;
}

interface Exported {
  readonly ref: ActorRef;
  /** Ends the monitor of its present life. */
  end: () => void;
}

/** Above every number that actors with a thread of their own have here, and within what a reference may have. */
const FROM = 2 ** 29;
const MOST = 2 ** 30 - 1;

/**
 * Numbers for the light actors of this node whose references have left it: their own are unique only within a partition. Each
 * is kept until its actor has ended for good.
 */
export class LightExports {
  readonly #host: LightExportsHost;
  readonly #numbers = new Map<string, number>();
  readonly #refs = new Map<number, Exported>();
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
    const exported: Exported = { ref, end: () => {} };
    this.#refs.set(number, exported);
    // A reference by id outlives its actor.
    if (this.#host.light(ref) === "life") this.#follow(number, exported, key);
    return number;
  }

  /** From life to life: one that is started again has the same reference. */
  #follow(number: number, exported: Exported, key: string): void {
    exported.end = this.#host.monitor(exported.ref, () => {
      if (this.#host.lives(exported.ref)) {
        this.#follow(number, exported, key);
        return;
      }
      this.#numbers.delete(key);
      this.#refs.delete(number);
    });
  }

  /** Undefined for one that has ended, and for what is no number of a light actor. */
  ref(number: number): ActorRef | undefined {
    return this.#refs.get(number)?.ref;
  }

  close(): void {
    for (const { end } of this.#refs.values()) end();
  }
}
