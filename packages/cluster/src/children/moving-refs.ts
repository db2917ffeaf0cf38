import type { ActorRef } from "@mini-otp/runtime";
import { type MovingHost, MovingRef } from "./moving-ref.js";

/** This node's references to what moves: one for each key in the bucket, from when it is first asked for until the node leaves. */
export class MovingRefs {
  readonly #hostFor: (key: string) => MovingHost;
  readonly #byKey = new Map<string, MovingRef>();
  readonly #keys = new Map<number, string>();

  constructor(hostFor: (key: string) => MovingHost) {
    this.#hostFor = hostFor;
  }

  /** `path` is the id that the reference is shown with. */
  ref(key: string, path: string): ActorRef {
    let moving = this.#byKey.get(key);
    if (moving === undefined) {
      moving = new MovingRef(this.#hostFor(key), path);
      this.#byKey.set(key, moving);
      this.#keys.set(moving.ref.uid, key);
    }
    return moving.ref;
  }

  /** How many there are, and whether this is one of them. */
  get size(): number {
    return this.#byKey.size;
  }

  has(key: string): boolean {
    return this.#byKey.has(key);
  }

  /** By the number of its reference; undefined for what does not move. */
  keyOf(uid: number): string | undefined {
    return this.#keys.get(uid);
  }

  /** Resolves when all that was sent so far has been taken and answered. */
  idle(): Promise<unknown> {
    return Promise.all([...this.#byKey.values()].map((moving) => moving.idle()));
  }

  close(): void {
    for (const moving of this.#byKey.values()) moving.close();
    this.#byKey.clear();
    this.#keys.clear();
  }
}
