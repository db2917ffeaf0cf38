import type { ActorRef } from "@mini-otp/runtime";
import type { Owners } from "./owners.js";

export interface HandOverHost {
  readonly owners: Owners;
  /** The other nodes themselves, those that are connected. */
  nodeRefs(): ActorRef[];
}

export const SETTLED = "settled";
/** A node that does not answer holds no hand-over up for longer. */
const LONGEST_MS = 2000;

/** Before a singleton ends in order: every node sends it nothing more, and what was sent has been handled. */
export class HandOver {
  readonly #host: HandOverHost;

  constructor(host: HandOverHost) {
    this.#host = host;
  }

  /** Never rejects. `revision` says that it has no reference any more. */
  async everywhere(id: string, revision: number): Promise<void> {
    const others = this.#host.nodeRefs().map((node) =>
      node
        .with({ timeoutMs: 2 * LONGEST_MS })
        .call(SETTLED, id, revision)
        .catch(() => {}),
    );
    await Promise.all([this.here(id, revision), ...others]);
  }

  /** The same, of this node. */
  async here(id: unknown, revision: unknown): Promise<void> {
    if (typeof id !== "string" || typeof revision !== "number") return;
    const { owners } = this.#host;
    const former = await owners.formerSince(id, revision, LONGEST_MS);
    // Behind all that this node has sent: when it is answered, with an error, that has been handled.
    await former
      ?.with({ timeoutMs: LONGEST_MS })
      .call("cluster:settled")
      .catch(() => {});
  }
}
