import { announce, retract, ring } from "./doorbell.js";
import { floatsAt } from "./histogram.js";
import {
  ACTIVE,
  AWAKE,
  BLOCKED_ON,
  CONSUMER,
  CONTROL,
  CURSOR,
  DISPATCHES,
  EXIT_CPU_MS,
  HANDLER_LIMIT_MS,
  HANDLING,
  HANDLING_NAME,
  HANDLING_NAME_BYTES,
  LOG_TAKEN,
  MAILBOX_LANE,
  OFFER,
  OS_THREAD,
  PARKED,
  SLEPT_MS,
  STREAM_ITEMS,
  STREAMS_OPEN,
  TAIL,
  TURNS,
  uidOf,
} from "./slot-descriptor.js";

/**
 * What a slot's consumer is doing, in words that main reads at any time. Every write to them is a method here. The
 * consumer's thread writes while it lives; main writes what is marked so.
 */
export class ConsumerState {
  readonly #words: Int32Array;

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** `init` runs, or `codeChange`: no message has been dispatched yet. */
  beginInit(method: number): void {
    this.#words[HANDLING] = method;
  }

  /** A handler begins. `method` is the number of its name. */
  beginHandling(method: number): void {
    const words = this.#words;
    words[HANDLING] = method;
    words[DISPATCHES]++;
  }

  /** The same for a method whose name has no number. */
  beginHandlingNamed(name: string): void {
    const words = this.#words;
    // `written` counts whole characters only.
    const { written } = new TextEncoder().encodeInto(name, encodedName);
    new Uint8Array(words.buffer, words.byteOffset + HANDLING_NAME * 4, HANDLING_NAME_BYTES).set(
      encodedName.subarray(0, written),
    );
    words[HANDLING] = -written;
    words[DISPATCHES]++;
  }

  /** A partition: the handler that begins is a member's, and may take this long. 0: no member's. */
  limitHandling(ms: number): void {
    this.#words[HANDLER_LIMIT_MS] = Math.min(ms, 0x7fff_ffff);
  }

  endHandling(): void {
    this.#words[HANDLING] = 0;
  }

  /** The loop got somewhere without a dispatch: it took replies, or found nothing to do. */
  turn(): void {
    this.#words[TURNS]++;
  }

  /** The event loop turns from now on, and may run callbacks of the actor's own. */
  mayRunCallbacks(may: boolean): void {
    this.#words[ACTIVE] = may ? 1 : 0;
  }

  /** So many streams are open. */
  streamsOpen(count: number): void {
    this.#words[STREAMS_OPEN] = count;
  }

  /** A stream has sent `count` items more. */
  itemsSent(count: number): void {
    floatsAt(this.#words, STREAM_ITEMS, 1)[0] += count;
  }

  /** The thread waits for the actor with this uid: for room in its mailbox, or for a synchronous reply. */
  blockOn(uid: number): void {
    this.#words[BLOCKED_ON] = uid;
  }

  unblock(): void {
    this.#words[BLOCKED_ON] = 0;
  }

  /** Counts the thread in `awake`, among those that do not sleep. */
  countAwake(awake: Int32Array): void {
    // The flag first: if this thread dies between the two, main takes one off that was not put on, and spinning is
    // a little too likely until the actors rest.
    this.#words[AWAKE] = 1;
    Atomics.add(awake, 0, 1);
  }

  countAsleep(awake: Int32Array): void {
    this.#words[AWAKE] = 0;
    Atomics.sub(awake, 0, 1);
  }

  get isCountedAwake(): boolean {
    return this.#words[AWAKE] === 1;
  }

  /** Main: the thread has exited, and counts no longer. */
  uncount(awake: Int32Array): void {
    if (this.isCountedAwake) this.countAsleep(awake);
  }

  /** Another thread, after it has posted a control message: wakes the thread if it sleeps. */
  controlPosted(): void {
    Atomics.store(this.#words, CONTROL, 1);
    ring(this.#words, PARKED);
  }

  /** True when a control message has been posted since the last time. */
  takeControl(): boolean {
    // A plain load: between two messages it does not matter when this is seen, and `hasControl` looks before a sleep.
    if (this.#words[CONTROL] === 0) return false;
    Atomics.store(this.#words, CONTROL, 0);
    return true;
  }

  get hasControl(): boolean {
    return Atomics.load(this.#words, CONTROL) !== 0;
  }

  /** The thread consumes the slot from now on. `osThread` is the operating system's number of it, 0 if unknown. */
  consumedBy(ownerId: number, osThread: number): void {
    this.#words[OS_THREAD] = osThread;
    Atomics.store(this.#words, CONSUMER, ownerId);
  }

  /** Owner id of the thread that consumes the slot of actor `uid`; 0 when none does, or the slot is another's. */
  consumerOf(uid: number): number {
    const consumer = Atomics.load(this.#words, CONSUMER);
    // The uid second: if the slot is given to another actor meanwhile, this sees it.
    return uidOf(this.#words) === uid ? consumer : 0;
  }

  /** The thread rests, or is about to: the parcel of the next message may come to it directly. */
  offer(ownerId: number): void {
    Atomics.store(this.#words, OFFER, ownerId);
  }

  /** The thread, or main when the thread is to end or has ended. True: a sender has taken the offer. */
  withdrawOffer(): boolean {
    return Atomics.exchange(this.#words, OFFER, 0) < 0;
  }

  /** Another thread takes the offer of the thread with this owner id. False: there is none, or a message came first. */
  takeOffer(ownerId: number): boolean {
    const words = this.#words;
    if (Atomics.load(words, MAILBOX_LANE + TAIL) !== Atomics.load(words, MAILBOX_LANE + CURSOR)) return false;
    return Atomics.compareExchange(words, OFFER, ownerId, -ownerId) === ownerId;
  }

  /** The thread that took the offer posts nothing, because the mailbox did not take its message. */
  returnOffer(ownerId: number): void {
    Atomics.compareExchange(this.#words, OFFER, -ownerId, ownerId);
  }

  /** Main: the thread has exited, and nothing can be posted to it any more. */
  consumedByNone(): void {
    this.withdrawOffer();
    Atomics.store(this.#words, CONSUMER, 0);
  }

  /**
   * The thread is about to end, and has used this much of the CPU. Main cannot ask any more when it hears of the exit.
   */
  leaving(cpuMs: number): void {
    this.#words[EXIT_CPU_MS] = cpuMs;
  }

  /** Main, before the slot's next thread starts: clears what the former one left here. */
  forgetThread(): void {
    const words = this.#words;
    words[HANDLING] = 0;
    words[HANDLER_LIMIT_MS] = 0;
    words[BLOCKED_ON] = 0;
    words[LOG_TAKEN] = 0;
    words[OS_THREAD] = 0;
    this.consumedByNone();
    words[EXIT_CPU_MS] = 0;
    words[STREAMS_OPEN] = 0;
    floatsAt(words, SLEPT_MS, 1)[0] = 0;
  }

  /** Main, for a thread that has no slot of its own, in words that stand for one: it works, or it sleeps. */
  pretend({ sleeps, runsCallbacks }: { readonly sleeps: boolean; readonly runsCallbacks: boolean }): void {
    if (sleeps) announce(this.#words, PARKED);
    else retract(this.#words, PARKED);
    this.mayRunCallbacks(runsCallbacks);
  }
}

const encodedName = new Uint8Array(HANDLING_NAME_BYTES);
