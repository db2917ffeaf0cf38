import { countBlocked } from "../memory/counters.js";
import { announce, ring, sleepAsync } from "../memory/doorbell.js";
import { methodOf } from "../memory/method-name.js";
import type { NameTable } from "../memory/name-table.js";
import { MAILBOX_LANE, SPACE } from "../memory/slot-descriptor.js";
import { BUSY, FULL } from "../ring/ring-writer.js";
import { mailboxFull } from "./overflow.js";
import type { Peer, Unsent } from "./peers.js";

/** The time that messages have waited is counted at least this often. */
const COUNT_EVERY_MS = 1000;
/** A light actor's sender sleeps at the actor's own doorbell, and it may be the partition's ring that is full. */
const LOOK_EVERY_MS = 20;

/**
 * Messages of a thread that never blocks, which wait, in order, for room in one mailbox. The line moves when the consumer makes room, or when
 * main closes the mailbox, which rings too. A message whose time is over is refused.
 */
export class WaitingLine {
  readonly #peer: Peer;
  readonly #names: NameTable;
  readonly #retry: (unsent: Unsent) => number;
  #asleep = false;
  #timer: NodeJS.Timeout | undefined;
  #waitingSinceMs = performance.now();

  constructor(peer: Peer, names: NameTable, retry: (unsent: Unsent) => number) {
    this.#peer = peer;
    this.#names = names;
    this.#retry = retry;
  }

  advance(): void {
    clearTimeout(this.#timer);
    const { unsent: line, words } = this.#peer;
    this.#countWaited(words);
    for (let first = line.first; first !== undefined; first = line.first) {
      if (first.wanted()) {
        announce(this.#bell, this.#space);
        const outcome = this.#retry(first);
        if (outcome === BUSY) {
          setImmediate(this.#again);
          return;
        }
        if (outcome === FULL) {
          const left = first.deadline - performance.now();
          if (left > 0) {
            this.#sleep(left);
            return;
          }
          first.refused(mailboxFull(this.#peer, methodOf(this.#names, first.method, first.payload)));
        }
      }
      line.shift();
    }
    // Main's announcement may have swallowed a wake-up that other waiting threads needed: this ring makes them look.
    ring(this.#bell, this.#space);
  }

  get #bell(): Int32Array {
    return this.#peer.member?.table ?? this.#peer.words;
  }

  get #space(): number {
    return this.#peer.member?.space ?? MAILBOX_LANE + SPACE;
  }

  #countWaited(words: Int32Array): void {
    const now = performance.now();
    countBlocked(words, now - this.#waitingSinceMs);
    this.#waitingSinceMs = now;
  }

  readonly #again = (): void => this.advance();

  #sleep(leftMs: number): void {
    this.#timer = setTimeout(
      this.#again,
      Math.min(Math.ceil(leftMs), this.#peer.member === undefined ? COUNT_EVERY_MS : LOOK_EVERY_MS),
    );
    if (this.#asleep) return;
    const waiting = sleepAsync(this.#bell, this.#space);
    if (waiting === undefined) {
      setImmediate(this.#again);
      return;
    }
    this.#asleep = true;
    void waiting.then(() => {
      this.#asleep = false;
      this.advance();
    });
  }
}
