import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";

/** A link from a peer's actor to one of this node's. */
export interface PeerLink {
  readonly partner: ActorRef;
  readonly target: number;
  readonly keyHash: number | undefined;
}

/** Links of one peer. */
export const MAX_LINKS = 131_072;
/** Those whose ends have gone are looked for where there is no room, and not more often. */
const LOOK_EVERY_MS = 1_000;

/** The links that a peer has made, so that it makes no more than a node can bear. */
export class PeerLinks {
  readonly #links = new Map<string, PeerLink>();
  readonly #isThere: (link: PeerLink) => boolean;
  #lookedAt = -Infinity;

  /** `isThere`: neither of the two has ended. */
  constructor(isThere: (link: PeerLink) => boolean) {
    this.#isThere = isThere;
  }

  get size(): number {
    return this.#links.size;
  }

  /** False when there is no room. */
  add(link: PeerLink, now: number): boolean {
    const key = nameOf(link);
    if (this.#links.has(key)) return true;
    if (this.#links.size >= MAX_LINKS) this.#forgetEnded(now);
    if (this.#links.size >= MAX_LINKS) return false;
    this.#links.set(key, link);
    return true;
  }

  remove(link: PeerLink): void {
    this.#links.delete(nameOf(link));
  }

  clear(): void {
    this.#links.clear();
  }

  #forgetEnded(now: number): void {
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    for (const [key, link] of this.#links) if (!this.#isThere(link)) this.#links.delete(key);
  }
}

function nameOf({ partner, target, keyHash }: PeerLink): string {
  return `${partner.uid}/${target}/${keyHash ?? ""}`;
}
