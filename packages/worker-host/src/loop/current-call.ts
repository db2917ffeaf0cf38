import type { DeferredReply } from "../actor/context.js";
import type { OneWayOutbox } from "../protocol/calls/one-way-outbox.js";
import { KIND_FAILURE, KIND_REPLY } from "../protocol/memory/record-descriptor.js";
import { notTransferable, uncloneableFor } from "../protocol/refs/transfer-list.js";
import { isOutgoing, type Outgoing, outgoing } from "../protocol/refs/wire-value.js";
import type { Payload } from "../protocol/ring/payload.js";
import { encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import type { LoopState } from "./loop-state.js";

const MAX_CANCELLED = 1024;

/** The destination of a call's reply. */
export interface ReplyTo {
  readonly address: number;
  readonly uid: number;
  readonly correlation: number;
}

/** What carries replies to their callers: a thread's outbox, or the testing kit. */
export type Replies = Pick<OneWayOutbox, "codec" | "reply">;

/** The call that is being handled, and its reply; also the waiting calls that their callers have given up. */
export class CurrentCall {
  /** Undefined when the current message is not a call. */
  caller: ReplyTo | undefined;
  readonly #id: string;
  readonly #replies: Replies;
  readonly #loopState: LoopState;
  /** Fails the call that the handler answers by a deferred reply. False: it has been answered. */
  #failDeferred: ((error: unknown) => boolean) | undefined;
  #givenUp = false;
  /** Created when the handler asks for its signal. */
  #signal: AbortController | undefined;
  /** Keys of calls that were given up before they were handled. */
  readonly #cancelled = new Set<string>();

  /** `id` is the path of the actor whose call it is. */
  constructor(id: string, replies: Replies, loopState: LoopState) {
    this.#id = id;
    this.#replies = replies;
    this.#loopState = loopState;
  }

  begin(caller: ReplyTo | undefined): void {
    this.caller = caller;
    this.#failDeferred = undefined;
    this.#givenUp = false;
    this.#signal = undefined;
  }

  /** True while a caller waits for the handler's result. */
  get isAwaited(): boolean {
    return this.caller !== undefined && this.#failDeferred === undefined;
  }

  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#signal = new AbortController();
      if (this.#givenUp || this.#loopState.stopRequested) this.#signal.abort();
    }
    return this.#signal.signal;
  }

  /** The caller no longer waits, or the actor is asked to stop. */
  abort(): void {
    this.#givenUp = true;
    this.#signal?.abort();
  }

  is(callerUid: number, correlation: number): boolean {
    return this.caller?.uid === callerUid && this.caller.correlation === correlation;
  }

  /** The caller has given up a call that is not being handled. */
  cancel(callerUid: number, correlation: number): void {
    // The call waits in the mailbox, or has been answered meanwhile. Keys of the latter stay until the set is full.
    if (this.#cancelled.size >= MAX_CANCELLED) this.#cancelled.clear();
    this.#cancelled.add(keyOf(callerUid, correlation));
  }

  /** Whether the current call was given up before its turn came. */
  takeCancelled(): boolean {
    const { caller } = this;
    if (caller === undefined || this.#cancelled.size === 0) return false;
    return this.#cancelled.delete(keyOf(caller.uid, caller.correlation));
  }

  get cancelled(): readonly string[] {
    return [...this.#cancelled];
  }

  /** Takes over the keys of the actor's former thread. */
  restore(cancelled: readonly string[]): void {
    for (const call of cancelled) this.#cancelled.add(call);
  }

  /** Throws TypeError when the current message is not a call. */
  defer(): DeferredReply {
    const to = this.caller;
    if (to === undefined) throw new TypeError("deferReply: the message being handled is not a call");
    let used = false;
    const once = (send: () => void): boolean => {
      if (used) return false;
      used = true;
      send();
      return true;
    };
    this.#failDeferred = (error) => once(() => this.fail(to, error));
    return {
      reply: (value) => void once(() => this.reply(to, value)),
      fail: (error) => void once(() => this.fail(to, error)),
    };
  }

  /**
   * The handler has thrown `error`, and the actor lives: fails its call, also one whose reply it has deferred, because
   * the handler does not go on to send that. False when no call waits.
   */
  failed(error: unknown): boolean {
    const { caller } = this;
    if (caller === undefined) return false;
    if (this.#failDeferred !== undefined) return this.#failDeferred(error);
    this.fail(caller, error);
    return true;
  }

  reply(to: ReplyTo, value: unknown): void {
    const { codec } = this.#replies;
    let out: Outgoing | undefined;
    let payload: Payload;
    try {
      out = isOutgoing(value) ? value : outgoing(value);
      payload = out === undefined ? codec.encodeValue(value) : codec.encodeValue(out.value, out.transfer);
    } catch (error) {
      // The reply cannot be carried: that is the actor's mistake, not its caller's.
      this.fail(to, uncloneableFor({ id: this.#id }, error));
      return;
    }
    try {
      this.#replies.reply(to.address, to.uid, KIND_REPLY, to.correlation, payload, out?.transfer);
    } catch (error) {
      this.fail(to, notTransferable({ id: this.#id }, error, "the reply"));
    }
  }

  fail(to: ReplyTo, error: unknown): void {
    this.#replies.reply(to.address, to.uid, KIND_FAILURE, to.correlation, this.#encodeFailure(error));
  }

  /** Encodes whatever was thrown, also what no message can carry: the caller waits for it. */
  #encodeFailure(error: unknown): Payload {
    const { codec } = this.#replies;
    try {
      return codec.encodeValue(error);
    } catch {
      return payloadOf(encodeForeign(codec, error));
    }
  }
}

function keyOf(callerUid: number, correlation: number): string {
  return `${callerUid}:${correlation}`;
}
