import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";

/*
 * What senders and receivers know of their messages, in memory that outlives them all. For each pair a sender
 * counts its messages 1, 2, …: the number goes up before the send, `accepted` after it. A sender that dies between
 * the two leaves one message for which it cannot be said whether it was accepted.
 *
 *   pair (8 words):  attempted · accepted · doubtful · received · last received · out of order · corrupt
 */
const WORDS = 8;
const ATTEMPTED = 0;
const ACCEPTED = 1;
const DOUBTFUL = 2;
const RECEIVED = 3;
const LAST = 4;
const OUT_OF_ORDER = 5;
const CORRUPT = 6;

const KEY = "mini-otp soak";

export interface Pair {
  readonly attempted: number;
  readonly accepted: number;
  readonly doubtful: number;
  readonly received: number;
  readonly outOfOrder: number;
  readonly corrupt: number;
}

export class Ledger {
  readonly senders: number;
  readonly receivers: number;
  readonly #words: Int32Array;

  private constructor(words: Int32Array) {
    this.#words = words;
    this.senders = words[1];
    this.receivers = words[2];
  }

  /** On main, before any thread is started: every thread has it from then on. */
  static create(senders: number, receivers: number): Ledger {
    const words = new Int32Array(new SharedArrayBuffer(4 * WORDS * (1 + senders * receivers)));
    words[1] = senders;
    words[2] = receivers;
    setEnvironmentData(KEY, words as never);
    return new Ledger(words);
  }

  /** In an actor's thread. */
  static open(): Ledger {
    return new Ledger(getEnvironmentData(KEY) as never);
  }

  get over(): boolean {
    return Atomics.load(this.#words, 0) === 1;
  }

  /** Senders send no more. */
  end(): void {
    Atomics.store(this.#words, 0, 1);
  }

  /** A sender's incarnation begins: what its predecessor was sending is in doubt. */
  begin(sender: number): void {
    for (let receiver = 0; receiver < this.receivers; receiver++) {
      const at = this.#at(sender, receiver);
      if (this.#words[at + ATTEMPTED] === this.#words[at + ACCEPTED] + this.#words[at + DOUBTFUL]) continue;
      this.#words[at + DOUBTFUL]++;
    }
  }

  attempt(sender: number, receiver: number): number {
    return ++this.#words[this.#at(sender, receiver) + ATTEMPTED];
  }

  accepted(sender: number, receiver: number): void {
    this.#words[this.#at(sender, receiver) + ACCEPTED]++;
  }

  /** A message that was refused was never sent. */
  refused(sender: number, receiver: number): void {
    this.#words[this.#at(sender, receiver) + ATTEMPTED]--;
  }

  received(sender: number, receiver: number, seq: number, intact: boolean): void {
    const at = this.#at(sender, receiver);
    this.#words[at + RECEIVED]++;
    if (seq <= this.#words[at + LAST]) this.#words[at + OUT_OF_ORDER]++;
    this.#words[at + LAST] = seq;
    if (!intact) this.#words[at + CORRUPT]++;
  }

  pair(sender: number, receiver: number): Pair {
    const at = this.#at(sender, receiver);
    const [attempted, accepted, doubtful, received, , outOfOrder, corrupt] = this.#words.subarray(at, at + WORDS);
    return { attempted, accepted, doubtful, received, outOfOrder, corrupt };
  }

  get allReceived(): number {
    let sum = 0;
    for (let sender = 0; sender < this.senders; sender++) {
      for (let receiver = 0; receiver < this.receivers; receiver++) sum += this.pair(sender, receiver).received;
    }
    return sum;
  }

  #at(sender: number, receiver: number): number {
    return WORDS * (1 + sender * this.receivers + receiver);
  }
}

export function checksumOf(sender: number, seq: number, body: string): number {
  let sum = (sender * 31 + seq) | 0;
  for (let i = 0; i < body.length; i++) sum = (sum * 31 + body.charCodeAt(i)) | 0;
  return sum;
}
