import type { Parcel } from "@mini-otp/worker-host/protocol";

/** Hands a claimed parcel to its actor; `null` says that there will never be one. */
export type Deliver = (parcel: Parcel | null) => void;

interface Entry {
  /** The actor it is for. */
  readonly uid: number;
  readonly parcel: Parcel | undefined;
  readonly deliver: Deliver | undefined;
}

/**
 * Messages that are too large for a ring, or carry objects to transfer, wait here until their placeholder is
 * handled: so they keep their place in the order, and outlive the threads at both ends.
 */
export class Parcels {
  readonly #entries = new Map<string, Entry>();
  /** By actor: the parcel it claimed last, kept for a second delivery. */
  readonly #kept = new Map<number, string>();
  /** Placeholders that will not be handled, and whose parcel has not come yet; or that will be, and it never comes. */
  readonly #discarded = new Set<string>();

  get size(): number {
    return this.#entries.size;
  }

  add(uid: number, parcel: Parcel): void {
    const key = keyOf(parcel.owner, parcel.number);
    if (this.#discarded.delete(key)) return;
    const claim = this.#entries.get(key)?.deliver;
    if (claim === undefined) {
      this.#entries.set(key, { uid, parcel, deliver: undefined });
    } else {
      this.#entries.delete(key);
      claim(parcel);
    }
  }

  /**
   * The placeholder's turn has come. With `keep`, the parcel stays for a second delivery, if it can be delivered
   * twice: what was transferred is gone after the first.
   */
  claim(uid: number, owner: number, number: number, senderLives: boolean, keep: boolean, deliver: Deliver): void {
    const key = keyOf(owner, number);
    // An actor claims in its mailbox's order: what it claimed before has been handled.
    const before = this.#kept.get(uid);
    if (before !== undefined && before !== key) this.#entries.delete(before);
    this.#kept.delete(uid);
    const parcel = this.#entries.get(key)?.parcel;
    if (this.#discarded.delete(key)) {
      deliver(null);
    } else if (parcel !== undefined) {
      if (keep && parcel.transferred.length === 0) this.#kept.set(uid, key);
      else this.#entries.delete(key);
      deliver(parcel);
    } else if (senderLives) {
      this.#entries.set(key, { uid, parcel: undefined, deliver });
    } else {
      deliver(null);
    }
  }

  /** The placeholder will not be handled, or not again. */
  discard(owner: number, number: number): void {
    const key = keyOf(owner, number);
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry === undefined) this.#discarded.add(key);
    else entry.deliver?.(null);
  }

  /** The sender's thread has exited: what it has not handed over by now never comes. */
  senderExited(owner: number): void {
    const prefix = `${owner}:`;
    for (const [key, { deliver }] of this.#entries) {
      if (deliver === undefined || !key.startsWith(prefix)) continue;
      this.#entries.delete(key);
      deliver(null);
    }
    for (const key of this.#discarded) if (key.startsWith(prefix)) this.#discarded.delete(key);
  }

  /** The actor is gone, or its thread is and its claims with it. */
  forget(uid: number, what: "all" | "claims"): void {
    for (const [key, entry] of this.#entries) {
      if (entry.uid === uid && (what === "all" || entry.deliver !== undefined)) this.#entries.delete(key);
    }
  }
}

function keyOf(owner: number, number: number): string {
  return `${owner}:${number}`;
}
