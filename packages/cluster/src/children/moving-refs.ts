import type { ActorRef } from "@mini-otp/runtime";
import { type MovingHost, MovingRef } from "./moving-ref.js";

/** This node's references to singletons: one for each id, from when it is first asked for until the node leaves. */
export class MovingRefs {
  readonly #hostFor: (id: string) => MovingHost;
  readonly #byId = new Map<string, MovingRef>();
  readonly #ids = new Map<number, string>();

  constructor(hostFor: (id: string) => MovingHost) {
    this.#hostFor = hostFor;
  }

  ref(id: string): ActorRef {
    let moving = this.#byId.get(id);
    if (moving === undefined) {
      moving = new MovingRef(this.#hostFor(id), `singleton:${id}`);
      this.#byId.set(id, moving);
      this.#ids.set(moving.ref.uid, id);
    }
    return moving.ref;
  }

  /** By the number of its reference; undefined for what is no singleton's. */
  idOf(uid: number): string | undefined {
    return this.#ids.get(uid);
  }

  /** Resolves when all that was sent so far has been taken and answered. */
  idle(): Promise<unknown> {
    return Promise.all([...this.#byId.values()].map((moving) => moving.idle()));
  }

  close(): void {
    for (const moving of this.#byId.values()) moving.close();
    this.#byId.clear();
    this.#ids.clear();
  }
}
