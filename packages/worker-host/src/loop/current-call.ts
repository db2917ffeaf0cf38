import type { DeferredReply } from "../actor/context.js";
import type { OneWayOutbox } from "../protocol/calls/one-way-outbox.js";
import { ActorError } from "../protocol/errors/errors.js";
import { KIND_FAILURE, KIND_REPLY } from "../protocol/memory/record-descriptor.js";
import { noStreams } from "../protocol/refs/refusal.js";
import { notTransferable, uncloneableFor } from "../protocol/refs/transfer-list.js";
import { isOutgoing, type Outgoing, outgoing } from "../protocol/refs/wire-value.js";
import { FORMAT_GRAPH, type Payload } from "../protocol/ring/payload.js";
import { encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import type { LoopState } from "./loop-state.js";
import { isStream } from "./outgoing-stream.js";
import type { ReplyTo } from "./reply-to.js";
import type { Streams } from "./streams.js";

const MAX_CANCELLED = 1024;

/** What carries replies to their callers: a thread's outbox, or the testing kit. */
export type Replies = Pick<OneWayOutbox, "codec" | "reply">;

/** The call that is being handled, and its reply; also the waiting calls that their callers have given up. */
export class CurrentCall {
  /** Undefined when the current message is not a call. */
  caller: ReplyTo | undefined;
  readonly #id: string;
  readonly #replies: Replies;
  readonly #loopState: LoopState;
  /** Undefined where none can be sent. */
  readonly #streams: Streams | undefined;
  /** The name of the method that is being handled. */
  methodName: () => string = () => "";
  /** Fails the call that the handler answers by a deferred reply. False: it has been answered. */
  #failDeferred: ((error: unknown) => boolean) | undefined;
  #givenUp = false;
  /** Created when the handler asks for its signal. */
  #signal: AbortController | undefined;
  /** Keys of calls that were given up before they were handled. */
  readonly #cancelled = new Set<string>();

  /** `id` is the path of the actor whose call it is. */
  constructor(id: string, replies: Replies, loopState: LoopState, streams: Streams | undefined) {
    this.#id = id;
    this.#replies = replies;
    this.#loopState = loopState;
    this.#streams = streams;
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

  /** The caller no longer waits. */
  abort(): void {
    this.#givenUp = true;
    this.#signal?.abort();
  }

  /** The actor is asked to stop. */
  stop(): void {
    this.abort();
    this.#streams?.abort();
  }

  is(callerUid: number, correlation: number): boolean {
    return this.caller?.uid === callerUid && this.caller.correlation === correlation;
  }

  /** The caller has given up a call that is not being handled. */
  cancel(callerUid: number, correlation: number): void {
    if (correlation < 0) {
      this.#streams?.cancel(callerUid, correlation);
      return;
    }
    // The call waits in the mailbox, or has been answered meanwhile. Keys of the latter stay until the set is full.
    if (this.#cancelled.size >= MAX_CANCELLED) this.#cancelled.clear();
    this.#cancelled.add(keyOf(callerUid, correlation));
  }

  /** Whether the current call was given up before its turn came. */
  takeCancelled(): boolean {
    const { caller } = this;
    if (caller === undefined) return false;
    if (caller.correlation < 0 && this.#streams?.takeCancelled(caller)) return true;
    return this.#cancelled.size > 0 && this.#cancelled.delete(keyOf(caller.uid, caller.correlation));
  }

  get cancelled(): readonly string[] {
    return [...this.#cancelled, ...(this.#streams?.cancelled ?? [])];
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
    const method = this.methodName();
    return {
      reply: (value) => void once(() => this.reply(to, value, method)),
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

  /** `method` is the call's, when another message may be being handled by now. */
  reply(to: ReplyTo, value: unknown, method?: string): void {
    if (to.correlation < 0) {
      this.#stream(to, value, method ?? this.methodName());
      return;
    }
    const { codec } = this.#replies;
    let out: Outgoing | undefined;
    let payload: Payload;
    try {
      out = isOutgoing(value) ? value : outgoing(value);
      payload = out === undefined ? codec.encodeValue(value) : codec.encodeValue(out.value, out.transfer);
      // Plain data is no stream, so only what takes the long way is asked.
      if (payload.format === FORMAT_GRAPH && isStream(value)) throw isAStream(this.#id, method ?? this.methodName());
    } catch (error) {
      // The reply cannot be carried: that is the actor's mistake, not its caller's.
      const isTheStream = isStream(value);
      const of = { id: this.#id, method: method ?? this.methodName() };
      this.fail(to, isTheStream ? isAStream(of.id, of.method) : uncloneableFor(of, error));
      if (isTheStream) this.#streams?.discard(value);
      return;
    }
    try {
      this.#replies.reply(to.address, to.uid, KIND_REPLY, to.correlation, payload, out?.transfer);
    } catch (error) {
      this.fail(to, notTransferable({ id: this.#id, method: method ?? this.methodName() }, error, "the reply"));
    }
  }

  /** Opens the stream that `value` is, and runs its generator up to its first item. */
  #stream(to: ReplyTo, value: unknown, method: string): void {
    const streams = this.#streams;
    if (streams === undefined) {
      this.fail(to, noStreams(this.#id, method));
      return;
    }
    const isCurrent = this.caller === to;
    if (isCurrent && this.#givenUp && !this.#loopState.stopRequested) {
      streams.discard(value);
      return;
    }
    let stream: ReturnType<Streams["open"]>;
    try {
      stream = streams.open(to, method, value);
    } catch (error) {
      this.fail(to, error);
      return;
    }
    if (stream === undefined) {
      const id = this.#id;
      const message = `id=${id} method=${method}: the handler has returned no stream; read its reply with ref.call`;
      this.fail(to, new ActorError("ERR_NO_STREAM", message, { id, method }));
      return;
    }
    // The generator begins here, so that it may take the signal that `ctx` has for this message.
    stream.attend();
    if (isCurrent && this.caller === to) stream.controller = this.#signal;
    // Its reader hears that it has begun, although the first item may take long.
    streams.attend(stream);
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

function isAStream(id: string, method: string): ActorError {
  const message = `id=${id} method=${method}: the handler answers with a stream; read it with ref.stream`;
  return new ActorError("ERR_IS_STREAM", message, { id, method });
}

function keyOf(callerUid: number, correlation: number): string {
  return `${callerUid}:${correlation}`;
}
