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
import type { LoopTimes, ProcessMeter } from "../threads/process-meter.js";

/** Why a message that was sent is never handled; see `DeadLetterCause` for the same of single messages. */
export type LossCause = "overflow" | "crash" | "restart" | "closed" | "unhandled";

/** An int32 counter in shared memory, which wraps, as a number that does not. Read it every 2³¹ events at least. */
class Unwrapped {
  #last = 0;
  #total = 0;

  read(now: number): number {
    // A repair may lower the counter: the total stays until the counter has caught up.
    const more = (now - this.#last) | 0;
    if (more > 0) {
      this.#total += more;
      this.#last = now;
    }
    return this.#total;
  }
}

/** A thread whose event loop can be timed. */
export interface TimedThread {
  loopTimes(): LoopTimes;
  /** The process that it stands for, once that has started. */
  readonly process: ProcessMeter | undefined;
}

/** One actor's counts over all its incarnations. Main reads them from shared memory and adds what only main counts. */
export class ActorMeter {
  readonly lost: Record<LossCause, number> = { overflow: 0, crash: 0, restart: 0, closed: 0, unhandled: 0 };
  readonly calls: Record<CallOutcome, number>;
  enqueued = 0;
  handled = 0;
  blockedMs = 0;
  logDropped = 0;
  readonly #epochMs: number;
  readonly #isElsewhere: boolean;
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
  /** The sum over threads that have ended; `#cpuMs` is the running thread's. */
  #cpuBeforeMs = 0;
  #cpuMs = 0;
  #restsAtTurn: number | undefined;
  #busyBeforeMs = 0;
  #busyMs = 0;
  #elapsedBeforeMs = 0;
  #elapsedMs = 0;

  /** `isElsewhere`: its threads stand for processes, whose times count instead. */
  constructor(epochMs: number, isElsewhere: boolean) {
    this.#epochMs = epochMs;
    this.#isElsewhere = isElsewhere;
    this.calls = Object.fromEntries(CALL_OUTCOMES.map((outcome) => [outcome, 0])) as Record<CallOutcome, number>;
  }

  /**
   * The actor sleeps, is not blocked, and has neither received a message nor had a turn since `read`. Since then, only
   * the counts of refused calls and messages may have grown.
   */
  isQuiet(words: Int32Array): boolean {
    return (
      words[TURNS] === this.#readAtTurn &&
      words[MAILBOX_LANE + NEXT_SEQ] === this.#readAtSeq &&
      words[BLOCKED_ON] === 0 &&
      Atomics.load(words, PARKED) === 1
    );
  }

  /** Reads the counters. Call it at least every 12 minutes, because 2³¹ messages may pass in that time. */
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

  /** A lower bound of how long the oldest queued message has waited; 0 when none waits. Call `read` first. */
  oldestAgeMs(mailbox: Mailbox): number {
    const oldest = mailbox.oldest();
    if (oldest === undefined) return 0;
    const seenMs = oldest.seq === this.#oldestSeq ? performance.now() - this.#oldestSinceMs : 0;
    const stampedMs = oldest.enqueued === 0 ? 0 : ticksToMs(oldest.enqueued, ticksSince(this.#epochMs));
    return Math.max(seenMs, stampedMs);
  }

  /** CPU time of the actor's threads, or processes. Where the system does not tell it, the time their event loops were busy. */
  get cpuMs(): number {
    return this.#cpuBeforeMs + this.#cpuMs;
  }

  /** How long its threads' event loops ran something, and how long the threads have existed. */
  get loop(): { readonly busyMs: number; readonly elapsedMs: number } {
    return { busyMs: this.#busyBeforeMs + this.#busyMs, elapsedMs: this.#elapsedBeforeMs + this.#elapsedMs };
  }

  /** Reads the times of the running thread. `handlingMs`: for how long it has handled a message. */
  time(thread: TimedThread, words: Int32Array, handlingMs: number): void {
    if (this.#isElsewhere) return this.#timeProcess(thread.process, handlingMs);
    const { activeMs, idleMs } = thread.loopTimes();
    // SLEPT_MS does not contain a sleep that still lasts. The busy time never goes back.
    this.#busyMs = Math.max(this.#busyMs, activeMs - floatAt(words, SLEPT_MS));
    this.#elapsedMs = Math.max(this.#elapsedMs, activeMs + idleMs);
    const osThread = words[OS_THREAD];
    if (osThread === 0) this.#cpuMs = Math.max(this.#cpuMs, this.#busyMs);
    else if (!this.#rests(words)) this.#cpuMs = Math.max(this.#cpuMs, threadCpuMs(osThread) ?? 0);
  }

  #timeProcess(process: ProcessMeter | undefined, handlingMs: number): void {
    if (process === undefined) return;
    const { activeMs, idleMs } = process.loopTimes(handlingMs);
    this.#busyMs = Math.max(this.#busyMs, activeMs);
    this.#elapsedMs = Math.max(this.#elapsedMs, activeMs + idleMs);
    this.#cpuMs = Math.max(this.#cpuMs, process.read().cpuMs);
  }

  /** The thread slept at the last look and had no turn since. Saves asking the kernel, which takes 8 to 12 µs. */
  #rests(words: Int32Array): boolean {
    const sleeps = Atomics.load(words, PARKED) === 1 && words[HANDLING] === 0 && words[ACTIVE] === 0;
    const rests = sleeps && words[TURNS] === this.#restsAtTurn;
    this.#restsAtTurn = sleeps ? words[TURNS] : undefined;
    return rests;
  }

  /** The thread has ended, or is given up. */
  threadEnded({ process }: TimedThread, words: Int32Array): void {
    this.#timeProcess(process, 0);
    this.#cpuBeforeMs += this.#isElsewhere ? this.#cpuMs : Math.max(this.#cpuMs, words[EXIT_CPU_MS]);
    this.#busyBeforeMs += this.#busyMs;
    this.#elapsedBeforeMs += this.#elapsedMs;
    this.#cpuMs = this.#busyMs = this.#elapsedMs = 0;
  }

  /** Call it before the next thread starts. */
  threadStarts(): void {
    this.#restsAtTurn = undefined;
  }
}
