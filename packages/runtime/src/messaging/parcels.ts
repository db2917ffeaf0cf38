import type { Parcel } from "@mini-otp/worker-host/protocol";

/** Hands a claimed parcel to its actor; `null` says that there will never be one. */
export type Deliver = (parcel: Parcel | null) => void;

interface Entry {
  /** The thread it comes from, and that thread's number for it. */
  readonly owner: number;
  readonly number: number;
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
  readonly #bySender = new Map<number, Map<number, Entry>>();
  readonly #byReceiver = new Map<number, Set<Entry>>();
  /** By actor: the parcel it claimed last, kept for a second delivery. */
  readonly #kept = new Map<number, Entry>();
  /** By sender: placeholders that will not be handled, and whose parcel has not come yet; or that will be, and it never comes. */
  readonly #discarded = new Map<number, Set<number>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(uid: number, parcel: Parcel): void {
    const { owner, number } = parcel;
    if (this.#takeDiscarded(owner, number)) return;
    const claim = this.#find(owner, number);
    if (claim?.deliver === undefined) {
      this.#put({ owner, number, uid, parcel, deliver: undefined });
    } else {
      this.#remove(claim);
      claim.deliver(parcel);
    }
  }

  /**
   * The placeholder's turn has come. With `keep`, the parcel stays for a second delivery, if it can be delivered
   * twice: what was transferred is gone after the first.
   */
  claim(uid: number, owner: number, number: number, senderLives: boolean, keep: boolean, deliver: Deliver): void {
    // An actor claims in its mailbox's order: what it claimed before has been handled.
    const before = this.#kept.get(uid);
    if (before !== undefined && !(before.owner === owner && before.number === number)) this.#remove(before);
    this.#kept.delete(uid);
    const entry = this.#find(owner, number);
    const parcel = entry?.parcel;
    if (this.#takeDiscarded(owner, number)) {
      deliver(null);
    } else if (entry !== undefined && parcel !== undefined) {
      if (keep && parcel.transferred.length === 0) this.#kept.set(uid, entry);
      else this.#remove(entry);
      deliver(parcel);
    } else if (senderLives) {
      this.#put({ owner, number, uid, parcel: undefined, deliver });
    } else {
      deliver(null);
    }
  }

  /** The placeholder will not be handled, or not again. */
  discard(owner: number, number: number): void {
    const entry = this.#find(owner, number);
    if (entry === undefined) {
      const discarded = this.#discarded.get(owner) ?? new Set();
      this.#discarded.set(owner, discarded.add(number));
      return;
    }
    this.#remove(entry);
    entry.deliver?.(null);
  }

  /** The sender's thread has exited: what it has not handed over by now never comes. */
  senderExited(owner: number): void {
    for (const entry of [...(this.#bySender.get(owner)?.values() ?? [])]) {
      if (entry.deliver === undefined) continue;
      this.#remove(entry);
      entry.deliver(null);
    }
    this.#discarded.delete(owner);
  }

  /** The actor is gone, or its thread is and its claims with it. */
  forget(uid: number, what: "all" | "claims"): void {
    for (const entry of [...(this.#byReceiver.get(uid) ?? [])]) {
      if (what === "all" || entry.deliver !== undefined) this.#remove(entry);
    }
    if (what === "all") this.#kept.delete(uid);
  }

  #find(owner: number, number: number): Entry | undefined {
    return this.#bySender.get(owner)?.get(number);
  }

  #takeDiscarded(owner: number, number: number): boolean {
    const discarded = this.#discarded.get(owner);
    if (discarded?.delete(number) !== true) return false;
    if (discarded.size === 0) this.#discarded.delete(owner);
    return true;
  }

  #put(entry: Entry): void {
    const { owner, number, uid } = entry;
    const before = this.#find(owner, number);
    if (before !== undefined) this.#remove(before);
    const sent = this.#bySender.get(owner) ?? new Map<number, Entry>();
    this.#bySender.set(owner, sent.set(number, entry));
    const received = this.#byReceiver.get(uid) ?? new Set<Entry>();
    this.#byReceiver.set(uid, received.add(entry));
    this.#size++;
  }

  #remove(entry: Entry): void {
    const { owner, number, uid } = entry;
    const sent = this.#bySender.get(owner);
    if (sent?.get(number) !== entry) return;
    this.#size--;
    sent.delete(number);
    if (sent.size === 0) this.#bySender.delete(owner);
    const received = this.#byReceiver.get(uid);
    received?.delete(entry);
    if (received?.size === 0) this.#byReceiver.delete(uid);
  }
}
