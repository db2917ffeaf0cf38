import { countFailure, countReply } from "./call-outcome.js";
import { ActorError } from "./errors.js";
import type { ExitReason } from "./exit-reason.js";
import { describeExit } from "./exit-reason.js";
import { takeFrames } from "./remote-error.js";

/** Whom a call is for. */
export interface Callee {
  readonly uid: number;
  readonly id: string;
  /** Its slot, where the calls to it are counted. */
  readonly words: Int32Array;
}

/** One call that waits for its reply. */
export interface PendingCall {
  readonly correlation: number;
  readonly uid: number;
  readonly id: string;
  readonly callee: Callee;
  readonly method: string;
  readonly timeoutMs: number;
  readonly deadline: number;
  /** The request's seq in the callee's mailbox, undefined until it was accepted. */
  seq: number | undefined;
  readonly settle: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
  /** Takes the abort listener off. */
  release: (() => void) | undefined;
  // Neighbours in the queue of calls with the same timeout.
  previous: PendingCall | undefined;
  next: PendingCall | undefined;
}

interface Queue {
  first: PendingCall | undefined;
  last: PendingCall | undefined;
}

/**
 * The calls of one thread that have not settled. Every call ends here exactly once: by reply, timeout,
 * abort, refusal, or the callee's exit.
 */
export class PendingCalls {
  /** Replies that came after their call had settled. */
  late = 0;

  readonly #calls = new Map<number, PendingCall>();
  // Calls of one timeout expire in the order they were made: the earliest is always first.
  readonly #queues = new Map<number, Queue>();
  readonly #armTimer: (deadline: number) => void;

  /** `armTimer` is told whenever a call's deadline (of `performance.now`) becomes the earliest of its queue. */
  constructor(armTimer: (deadline: number) => void) {
    this.#armTimer = armTimer;
  }

  get size(): number {
    return this.#calls.size;
  }

  open(
    correlation: number,
    callee: Callee,
    method: string,
    timeoutMs: number,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): PendingCall {
    const deadline = performance.now() + timeoutMs;
    const call: PendingCall = {
      correlation,
      uid: callee.uid,
      id: callee.id,
      callee,
      method,
      timeoutMs,
      deadline,
      seq: undefined,
      settle,
      fail,
      release: undefined,
      previous: undefined,
      next: undefined,
    };
    this.#calls.set(correlation, call);
    if (timeoutMs !== Infinity) this.#enqueue(call);
    return call;
  }

  has(correlation: number): boolean {
    return this.#calls.has(correlation);
  }

  settle(correlation: number, value: unknown): void {
    const call = this.#take(correlation);
    if (call === undefined) {
      this.late++;
      return;
    }
    countReply(call.callee.words, call.uid);
    call.settle(value);
  }

  /** `answered`: the callee says so. */
  fail(correlation: number, error: unknown, answered = false): void {
    const call = this.#take(correlation);
    if (call === undefined) {
      this.late++;
      return;
    }
    countFailure(call.callee.words, call.uid, answered, error);
    call.fail(error);
  }

  /**
   * The callee's thread has ended: what it consumed (seq before `consumedBefore`) will not be answered any
   * more. What still waits in its mailbox is answered by the next incarnation, unless `closed`.
   */
  calleeExited(uid: number, reason: ExitReason, consumedBefore: number, closed: boolean): void {
    for (const call of this.#calls.values()) {
      if (call.uid !== uid || call.seq === undefined) continue;
      if (!closed && ((call.seq - consumedBefore) | 0) >= 0) continue;
      const message = `id=${call.id} method=${call.method}: the actor exited before it replied: ${describeExit(reason)}`;
      const error = new ActorError("ERR_CALL_EXIT", message, { id: call.id, method: call.method, reason });
      this.fail(call.correlation, "error" in reason ? takeFrames(error, reason.error) : error);
    }
  }

  /** Rejects every call whose time is over. */
  expire(now: number): void {
    for (const queue of this.#queues.values()) {
      while (queue.first !== undefined && queue.first.deadline <= now) {
        const { correlation, id, method, timeoutMs } = queue.first;
        const message = `id=${id} method=${method}: no reply within timeoutMs=${timeoutMs}`;
        this.fail(correlation, new ActorError("ERR_CALL_TIMEOUT", message, { id, method, timeoutMs }));
      }
    }
  }

  /** The earliest deadline, or Infinity. */
  get nextDeadline(): number {
    let earliest = Infinity;
    for (const queue of this.#queues.values()) {
      if (queue.first !== undefined && queue.first.deadline < earliest) earliest = queue.first.deadline;
    }
    return earliest;
  }

  failAll(errorOf: (call: PendingCall) => unknown): void {
    for (const call of this.#calls.values()) this.fail(call.correlation, errorOf(call));
  }

  #enqueue(call: PendingCall): void {
    const queue = this.#queues.get(call.timeoutMs) ?? { first: undefined, last: undefined };
    this.#queues.set(call.timeoutMs, queue);
    if (queue.last === undefined) {
      queue.first = call;
      queue.last = call;
      this.#armTimer(call.deadline);
    } else {
      call.previous = queue.last;
      queue.last.next = call;
      queue.last = call;
    }
  }

  #take(correlation: number): PendingCall | undefined {
    const call = this.#calls.get(correlation);
    if (call === undefined) return undefined;
    this.#calls.delete(correlation);
    call.release?.();
    if (call.timeoutMs !== Infinity) this.#dequeue(call);
    return call;
  }

  #dequeue(call: PendingCall): void {
    const queue = this.#queues.get(call.timeoutMs);
    if (queue === undefined) return;
    if (call.previous === undefined) queue.first = call.next;
    else call.previous.next = call.next;
    if (call.next === undefined) queue.last = call.previous;
    else call.next.previous = call.previous;
    // A timeout computed afresh for each call must not leave a queue behind for each value.
    if (queue.first === undefined && this.#queues.size > 16) this.#queues.delete(call.timeoutMs);
  }
}
