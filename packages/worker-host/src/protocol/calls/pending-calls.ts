import { performance } from "node:perf_hooks";
import { ActorError } from "../errors/errors.js";
import type { ExitReason } from "../errors/exit-reason.js";
import { describeExit } from "../errors/exit-reason.js";
import { takeFrames } from "../errors/remote-error.js";
import type { StreamReader } from "../refs/stream-reader.js";
import { countFailure, countReply } from "./call-outcome.js";
import { CallsByCallee, type CallsTo } from "./calls-to.js";
import { OpenCalls } from "./open-calls.js";

const NONE: ReadonlySet<number> = new Set();

/** The actor that a call is sent to. */
export interface Callee {
  readonly uid: number;
  readonly id: string;
  /** The words of its slot, where the calls to it are counted. */
  readonly words: Int32Array;
  /** Kept by `PendingCalls` only. */
  calls: CallsTo<PendingCall> | undefined;
}

/** The calls with one timeout. They expire in the order they were made, so the first is the earliest. */
interface Queue {
  readonly timeoutMs: number;
  first: PendingCall | undefined;
  last: PendingCall | undefined;
}

/** A call that waits for its reply. */
export class PendingCall {
  readonly correlation: number;
  readonly callee: Callee;
  readonly method: string;
  deadline: number;
  /** The request's seq in the callee's mailbox; undefined until the mailbox accepts it. */
  seq: number | undefined = undefined;
  /** True when `succeed` gets a reply without references as an `EncodedReply`. */
  wantsBytes = false;
  /** Where its request waits for room: called when the mailbox has accepted it, or the call has failed. */
  entered: (() => void) | undefined = undefined;
  /** Removes the abort listener. */
  release: (() => void) | undefined = undefined;
  /** Reads the stream that the call has opened. */
  reader: StreamReader | undefined = undefined;
  /** Undefined for a call without a timeout. */
  queue: Queue | undefined;
  // Neighbours in the queue.
  previous: PendingCall | undefined = undefined;
  next: PendingCall | undefined = undefined;
  // Neighbours among the calls to its callee.
  previousToCallee: PendingCall | undefined = undefined;
  nextToCallee: PendingCall | undefined = undefined;
  readonly #settle: (value: unknown) => void;
  readonly #fail: (error: unknown) => void;

  constructor(
    correlation: number,
    callee: Callee,
    method: string,
    deadline: number,
    queue: Queue | undefined,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ) {
    this.correlation = correlation;
    this.callee = callee;
    this.method = method;
    this.deadline = deadline;
    this.queue = queue;
    this.#settle = settle;
    this.#fail = fail;
  }

  succeed(value: unknown): void {
    countReply(this.callee.words, this.callee.uid);
    this.#settle(value);
  }

  /** `answered`: the callee sent the error. */
  fail(error: unknown, answered: boolean): void {
    countFailure(this.callee.words, this.callee.uid, answered, error);
    this.#fail(error);
    this.#tellEntered();
  }

  /** The request, which had to wait, is in the mailbox. */
  acceptedAs(seq: number): void {
    this.seq = seq;
    this.#tellEntered();
  }

  #tellEntered(): void {
    const { entered } = this;
    this.entered = undefined;
    entered?.();
  }
}

/**
 * The calls of one thread that have not settled. Every call ends here exactly once: by reply, timeout, abort, refusal,
 * or the callee's exit.
 */
export class PendingCalls {
  readonly #calls = new OpenCalls<PendingCall>();
  readonly #byCallee = new CallsByCallee<PendingCall>();
  readonly #queues = new Map<number, Queue>();
  #lastQueue: Queue | undefined;
  readonly #armTimer: (deadline: number) => void;

  /** Calls `armTimer` with a deadline in `performance.now` time whenever it becomes the earliest of its queue. */
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
    const queue = timeoutMs === Infinity ? undefined : this.#queueOf(timeoutMs);
    const deadline = queue === undefined ? Infinity : performance.now() + timeoutMs;
    const call = new PendingCall(correlation, callee, method, deadline, queue, settle, fail);
    this.#calls.add(call);
    this.#byCallee.add(call, callee);
    if (queue !== undefined) this.#enqueue(queue, call);
    return call;
  }

  has(correlation: number): boolean {
    return this.#calls.get(correlation) !== undefined;
  }

  get(correlation: number): PendingCall | undefined {
    return this.#calls.get(correlation);
  }

  /** A copy of all of them, in the order they were made. */
  all(): PendingCall[] {
    return this.#calls.values();
  }

  /** The callee has begun to answer: the call has no timeout any more. */
  begun(call: PendingCall): void {
    if (call.queue === undefined) return;
    this.#dequeue(call.queue, call);
    call.queue = undefined;
    call.deadline = Infinity;
  }

  /**
   * Removes and returns the call of this correlation, for the caller to settle; undefined when it has settled before.
   */
  take(correlation: number): PendingCall | undefined {
    const call = this.#calls.get(correlation);
    if (call === undefined) return undefined;
    this.#calls.delete(correlation);
    call.callee.calls?.remove(call);
    call.release?.();
    if (call.queue !== undefined) this.#dequeue(call.queue, call);
    return call;
  }

  /** Fails a call with an error of this thread's own. Does nothing when it has settled before. */
  fail(correlation: number, error: unknown): void {
    this.take(correlation)?.fail(error, false);
  }

  /**
   * Fails calls after the callee's thread has ended: those whose request it consumed (seq before `consumedBefore`). The
   * next incarnation answers requests that still wait in the mailbox; if the mailbox is `closed` these fail too. A stream
   * that has begun fails although its request is to be delivered again, because its items would come twice. The next
   * thread answers those in `kept`, by correlation, too, although the former one had consumed them.
   */
  calleeExited(
    uid: number,
    reason: ExitReason,
    consumedBefore: number,
    closed: boolean,
    kept: ReadonlySet<number> = NONE,
  ): void {
    const lost: PendingCall[] = [];
    for (let call = this.#byCallee.first(uid); call !== undefined; call = call.nextToCallee) {
      const { seq, reader } = call;
      if (seq === undefined || (!closed && kept.has(call.correlation))) continue;
      if (closed || ((seq - consumedBefore) | 0) < 0 || reader?.hasBegun === true) lost.push(call);
    }
    for (const { callee, correlation, method, reader } of lost) {
      const { id } = callee;
      const before = reader === undefined ? "it replied" : "its stream had ended";
      const message = `id=${id} method=${method}: the actor exited before ${before}: ${describeExit(reason)}`;
      const error = new ActorError("ERR_CALL_EXIT", message, { id, method, reason });
      this.fail(correlation, "error" in reason ? takeFrames(error, reason.error) : error);
    }
  }

  /** Fails every call whose deadline has passed. */
  expire(now: number): void {
    for (const queue of this.#queues.values()) {
      const { timeoutMs } = queue;
      while (queue.first !== undefined && queue.first.deadline <= now) {
        const { correlation, method } = queue.first;
        const { id } = queue.first.callee;
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

  failAll(errorOf: (callee: Callee) => unknown): void {
    for (const { correlation, callee } of this.#calls.values()) this.fail(correlation, errorOf(callee));
  }

  #queueOf(timeoutMs: number): Queue {
    // Most calls have the default timeout.
    if (this.#lastQueue?.timeoutMs === timeoutMs) return this.#lastQueue;
    let queue = this.#queues.get(timeoutMs);
    if (queue === undefined) {
      queue = { timeoutMs, first: undefined, last: undefined };
      this.#queues.set(timeoutMs, queue);
    }
    this.#lastQueue = queue;
    return queue;
  }

  #enqueue(queue: Queue, call: PendingCall): void {
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

  #dequeue(queue: Queue, call: PendingCall): void {
    if (call.previous === undefined) queue.first = call.next;
    else call.previous.next = call.next;
    if (call.next === undefined) queue.last = call.previous;
    else call.next.previous = call.previous;
    // A call that V8 has promoted to the old generation would keep all later ones alive until the next full collection.
    call.previous = undefined;
    call.next = undefined;
    // A caller that computes a new timeout for each call must not leave a queue behind for each value.
    if (queue.first === undefined && this.#queues.size > 16) {
      this.#queues.delete(queue.timeoutMs);
      if (this.#lastQueue === queue) this.#lastQueue = undefined;
    }
  }
}
