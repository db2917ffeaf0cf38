import type { Parcel } from "@mini-otp/worker-host/protocol/port";
import { release } from "./hand-over.js";

/** Hands a claimed parcel to its actor, or `null` when the parcel will never come. */
export type Deliver = (parcel: Parcel | null) => void;

interface Entry {
  /** The thread that sends the parcel, and that thread's number for it. */
  readonly owner: number;
  readonly number: number;
  /** The receiving actor. */
  readonly uid: number;
  readonly parcel: Parcel | undefined;
  readonly deliver: Deliver | undefined;
}

interface Delivered {
  readonly owner: number;
  readonly number: number;
  readonly parcel: Parcel | undefined;
}

/**
 * Messages that are too large for a ring, or carry objects to transfer. A placeholder in the mailbox keeps their place
 * in the order; they wait here until it is handled, and outlive the threads at both ends.
 */
export class Parcels {
  readonly #bySender = new Map<number, Map<number, Entry>>();
  readonly #byReceiver = new Map<number, Set<Entry>>();
  /** The last parcel of each actor, by uid. Holds the parcel itself if it can be delivered a second time. */
  readonly #last = new Map<number, Delivered>();
  /** The actors that hold a last parcel, by its sender and number. */
  readonly #holders = new Map<string, number>();
  /**
   * By sender: numbers whose placeholder was discarded before the parcel came, and numbers whose parcel was lost before
   * the placeholder is handled.
   */
  readonly #discarded = new Map<number, Set<number>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(uid: number, parcel: Parcel): void {
    const { owner, number } = parcel;
    if (this.#takeDiscarded(owner, number)) {
      release(parcel.transferred);
      return;
    }
    const claim = this.#find(owner, number);
    if (claim?.deliver === undefined) {
      this.#put({ owner, number, uid, parcel, deliver: undefined });
    } else {
      this.#remove(claim);
      claim.deliver(parcel);
    }
  }

  /**
   * The actor has reached the placeholder. With `keep`, the parcel stays for a second delivery, unless it transfers
   * objects: they are gone after the first delivery, and a second one gets `null`.
   */
  claim(uid: number, owner: number, number: number, senderLives: boolean, keep: boolean, deliver: Deliver): void {
    const last = this.#last.get(uid);
    if (last?.owner === owner && last.number === number) {
      deliver(last.parcel ?? null);
      return;
    }
    // An actor claims in its mailbox's order, so it has handled the parcel that it claimed before.
    this.#forgetLast(uid);
    const give: Deliver = (parcel) => {
      if (parcel !== null) this.#setLast(uid, parcel, keep && parcel.transferred.length === 0);
      deliver(parcel);
    };
    const entry = this.#find(owner, number);
    const parcel = entry?.parcel;
    if (this.#takeDiscarded(owner, number)) {
      give(null);
    } else if (entry !== undefined && parcel !== undefined) {
      this.#remove(entry);
      give(parcel);
    } else if (senderLives) {
      this.#put({ owner, number, uid, parcel: undefined, deliver: give });
    } else {
      give(null);
    }
  }

  /** The placeholder will not be handled, or not once more. `comes`: a parcel that is not here may still come. */
  discard(owner: number, number: number, comes = true): void {
    const holder = this.#holders.get(keyOf(owner, number));
    if (holder !== undefined) {
      this.#forgetLast(holder);
      return;
    }
    const entry = this.#find(owner, number);
    if (entry === undefined) {
      if (!comes) return;
      const discarded = this.#discarded.get(owner) ?? new Set();
      this.#discarded.set(owner, discarded.add(number));
      return;
    }
    this.#remove(entry);
    if (entry.parcel !== undefined) release(entry.parcel.transferred);
    else entry.deliver?.(null);
  }

  /** The sender's thread has exited: a parcel that it has not handed over by now never comes. */
  senderExited(owner: number): void {
    for (const entry of [...(this.#bySender.get(owner)?.values() ?? [])]) {
      if (entry.deliver === undefined) continue;
      this.#remove(entry);
      entry.deliver(null);
    }
    this.#discarded.delete(owner);
  }

  /** Drops everything for an actor that is gone (`all`), or the open claims of a thread that has exited (`claims`). */
  forget(uid: number, what: "all" | "claims"): void {
    if (what === "all") this.#forgetLast(uid);
    for (const entry of [...(this.#byReceiver.get(uid) ?? [])]) {
      if (what === "claims" && entry.deliver === undefined) continue;
      this.#remove(entry);
      if (entry.parcel !== undefined) release(entry.parcel.transferred);
    }
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

  #setLast(uid: number, parcel: Parcel, keep: boolean): void {
    const { owner, number } = parcel;
    if (keep) this.#size++;
    this.#last.set(uid, { owner, number, parcel: keep ? parcel : undefined });
    this.#holders.set(keyOf(owner, number), uid);
  }

  #forgetLast(uid: number): void {
    const last = this.#last.get(uid);
    if (last === undefined) return;
    if (last.parcel !== undefined) this.#size--;
    this.#last.delete(uid);
    this.#holders.delete(keyOf(last.owner, last.number));
  }
}

function keyOf(owner: number, number: number): string {
  return `${owner}:${number}`;
}
