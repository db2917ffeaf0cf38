import { CALL_OUTCOMES, type CallOutcome } from "@mini-otp/worker-host/protocol/calls";
import {
  ACTIVE,
  BLOCKED_ON,
  BLOCKED_US,
  CALLS,
  EXIT_CPU_MS,
  floatAt,
  HANDLING,
  LOG_DROPPED,
  MAILBOX_LANE,
  NEXT_SEQ,
  OS_THREAD,
  PARKED,
  SLEPT_MS,
  TURNS,
  ticksSince,
  ticksToMs,
} from "@mini-otp/worker-host/protocol/memory";
import { threadCpuMs } from "../guard/thread-cpu.js";
import type { Mailbox } from "../mailbox/mailbox.js";
import type { LoopTimes } from "../threads/actor-thread.js";

/** Why a message that was sent is never handled; see `DeadLetterCause` for the same of single messages. */
export type LossCause = "overflow" | "crash" | "restart" | "closed" | "unhandled";

/** A count in shared memory, which is an int32 and wraps, as a number that does not. It is to be read often enough. */
class Unwrapped {
  #last = 0;
  #total = 0;

  read(now: number): number {
    // A repair may take one back: then the total waits until it is caught up with.
    const more = (now - this.#last) | 0;
    if (more > 0) {
      this.#total += more;
      this.#last = now;
    }
    return this.#total;
  }
}

/** The thread that runs an actor, as far as time is concerned. */
export interface TimedThread {
  loopTimes(): LoopTimes;
}

/** What is counted of one actor over all its incarnations. Main reads it from shared memory, and adds what it alone knows. */
export class ActorTotals {
  readonly lost: Record<LossCause, number> = { overflow: 0, crash: 0, restart: 0, closed: 0, unhandled: 0 };
  readonly calls: Record<CallOutcome, number>;
  enqueued = 0;
  handled = 0;
  blockedMs = 0;
  logDropped = 0;
  readonly #epochMs: number;
  readonly #enqueued = new Unwrapped();
  readonly #handled = new Unwrapped();
  readonly #dropped = new Unwrapped();
  readonly #blockedUs = new Unwrapped();
  readonly #calls = CALL_OUTCOMES.map(() => new Unwrapped());
  readonly #logDropped = new Unwrapped();
  #oldestSeq: number | undefined;
  #oldestSinceMs = 0;
  #readAtTurn: number | undefined;
  #readAtSeq: number | undefined;
  /** Of threads that have ended. */
  #cpuBeforeMs = 0;
  #cpuMs = 0;
  #restsAtTurn: number | undefined;
  #busyBeforeMs = 0;
  #busyMs = 0;
  #elapsedBeforeMs = 0;
  #elapsedMs = 0;

  constructor(epochMs: number) {
    this.#epochMs = epochMs;
    this.calls = Object.fromEntries(CALL_OUTCOMES.map((outcome) => [outcome, 0])) as Record<CallOutcome, number>;
  }

  /**
   * It sleeps, is not blocked, and has neither received anything nor had a turn since `read`. Of what `read` takes in, only
   * refused calls and messages may have become more.
   */
  isQuiet(words: Int32Array): boolean {
    return (
      words[TURNS] === this.#readAtTurn &&
      words[MAILBOX_LANE + NEXT_SEQ] === this.#readAtSeq &&
      words[BLOCKED_ON] === 0 &&
      Atomics.load(words, PARKED) === 1
    );
  }

  /** Takes the counts in. At least every 12 minutes, in which 2³¹ messages may pass. */
  read(mailbox: Mailbox, words: Int32Array): void {
    this.#readAtTurn = words[TURNS];
    this.#readAtSeq = words[MAILBOX_LANE + NEXT_SEQ];
    this.enqueued = this.#enqueued.read(words[MAILBOX_LANE + NEXT_SEQ]);
    this.handled = this.#handled.read(mailbox.handled);
    this.lost.overflow = this.#dropped.read(mailbox.dropped);
    this.blockedMs = this.#blockedUs.read(words[BLOCKED_US]) / 1000;
    this.logDropped = this.#logDropped.read(words[LOG_DROPPED]);
    CALL_OUTCOMES.forEach((outcome, i) => {
      this.calls[outcome] = this.#calls[i].read(words[CALLS + i]);
    });
    const oldest = mailbox.oldest();
    if (oldest?.seq === this.#oldestSeq) return;
    this.#oldestSeq = oldest?.seq;
    this.#oldestSinceMs = performance.now();
  }

  /** How long the first message that waits has done so, at least; 0 when none does. After `read`. */
  oldestAgeMs(mailbox: Mailbox): number {
    const oldest = mailbox.oldest();
    if (oldest === undefined) return 0;
    const seenMs = oldest.seq === this.#oldestSeq ? performance.now() - this.#oldestSinceMs : 0;
    const stampedMs = oldest.enqueued === 0 ? 0 : ticksToMs(oldest.enqueued, ticksSince(this.#epochMs));
    return Math.max(seenMs, stampedMs);
  }

  /** What its threads have used of the CPU; where the system does not say, for how long their event loops were busy. */
  get cpuMs(): number {
    return this.#cpuBeforeMs + this.#cpuMs;
  }

  /** For how long its threads' event loops ran something, out of how long they have been there. */
  get loop(): { readonly busyMs: number; readonly elapsedMs: number } {
    return { busyMs: this.#busyBeforeMs + this.#busyMs, elapsedMs: this.#elapsedBeforeMs + this.#elapsedMs };
  }

  /** Reads the times of the thread that runs. */
  time(thread: TimedThread, words: Int32Array): void {
    const { activeMs, idleMs } = thread.loopTimes();
    // A sleep that lasts is not in the sum yet: what was busy before stays.
    this.#busyMs = Math.max(this.#busyMs, activeMs - floatAt(words, SLEPT_MS));
    this.#elapsedMs = Math.max(this.#elapsedMs, activeMs + idleMs);
    const osThread = words[OS_THREAD];
    if (osThread === 0) this.#cpuMs = Math.max(this.#cpuMs, this.#busyMs);
    else if (!this.#rests(words)) this.#cpuMs = Math.max(this.#cpuMs, threadCpuMs(osThread) ?? 0);
  }

  /** It slept when it was asked about last, and has not had a turn since. To ask the kernel takes 8 to 12 µs. */
  #rests(words: Int32Array): boolean {
    const sleeps = Atomics.load(words, PARKED) === 1 && words[HANDLING] === 0 && words[ACTIVE] === 0;
    const rests = sleeps && words[TURNS] === this.#restsAtTurn;
    this.#restsAtTurn = sleeps ? words[TURNS] : undefined;
    return rests;
  }

  /** The thread has ended, or is given up. */
  threadEnded(words: Int32Array): void {
    this.#cpuBeforeMs += Math.max(this.#cpuMs, words[EXIT_CPU_MS]);
    this.#busyBeforeMs += this.#busyMs;
    this.#elapsedBeforeMs += this.#elapsedMs;
    this.#cpuMs = this.#busyMs = this.#elapsedMs = 0;
  }

  /** Before the next thread is started. */
  threadStarts(): void {
    this.#restsAtTurn = undefined;
  }
}
