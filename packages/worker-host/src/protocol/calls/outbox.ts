import { ActorError, isActorError } from "../errors/errors.js";
import { callTimeoutOf } from "../memory/call-timeout.js";
import type { NameTable } from "../memory/name-table.js";
import { KIND_CALL, KIND_CANCEL, KIND_CREDIT, KIND_STREAM } from "../memory/record-descriptor.js";
import type { Producer } from "../memory/ring-lock.js";
import type { Segments } from "../memory/segments.js";
import { addEndpoint, CALLERS, ENDPOINT_INDEX, NEXT_CORRELATION, NEXT_STREAM } from "../memory/slot-descriptor.js";
import type { RunOptions } from "../refs/actor-ref.js";
import type { RefOptions } from "../refs/ref-options.js";
import { callAborted, noStreams, refused } from "../refs/refusal.js";
import type { StreamReader } from "../refs/stream-reader.js";
import { whenAborted } from "../refs/when-aborted.js";
import { newPayload, type Payload, withMethodText } from "../ring/payload.js";
import { CLOSED, FULL, PUSHED } from "../ring/ring-writer.js";
import { keepPayload } from "../values/codec.js";
import { countFailure } from "./call-outcome.js";
import { OneWayOutbox } from "./one-way-outbox.js";
import { mailboxFull } from "./overflow.js";
import type { EncodedMessage } from "./parcel-writer.js";
import type { Peer, Self } from "./peers.js";
import { type PendingCall, PendingCalls } from "./pending-calls.js";
import { CALL_CHANNEL, publishCall } from "./published-call.js";
import { openTaskStream } from "./task-stream.js";
import type { Carrier } from "./telemetry.js";

const EMPTY: Payload = newPayload(0);
/** Two words: how many items more, and how many bytes have been read. */
const CREDIT: Payload = { ...newPayload(8), length: 8 };
const ignore = (): void => {};

/** A call that is to be sent. Exactly one of `settle` and `fail` is called, once. */
interface OpenedCall {
  readonly to: Peer;
  readonly method: string;
  readonly options: RefOptions;
  readonly settle: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
  /** Reads the stream that the call opens; undefined for a call with a reply. */
  readonly reader: StreamReader | undefined;
}

/** The same before its arguments are encoded. */
interface CallRequest extends OpenedCall {
  readonly args: unknown[];
  /** The call's place in a trace, and the baggage. */
  readonly carrier: Carrier | undefined;
}

/** The sending side of one thread: one-way messages, and calls, which it keeps until they settle. */
export abstract class Outbox extends OneWayOutbox {
  readonly pending: PendingCalls;

  constructor(self: Self, segments: Segments, names: NameTable, producer: Producer) {
    super(self, segments, names, producer);
    this.pending = new PendingCalls((deadline) => this.armTimer(deadline));
  }

  /** Has `pending.expire` run at `deadline`. */
  protected abstract armTimer(deadline: number): void;
  /** A call has been opened, and is about to be sent. */
  protected replyExpected(): void {}

  call(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    return new Promise((settle, fail) => {
      this.request(to, method, args, options, settle, fail);
    });
  }

  /** Sends a call; `settle` or `fail` is called exactly once. Returns its correlation, 0 when it failed at once. */
  request(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
    reader?: StreamReader,
  ): number {
    if (!CALL_CHANNEL.hasSubscribers) return this.#requestInSpan(to, method, args, options, settle, fail, reader);
    const about = { id: to.id, method, kind: reader === undefined ? "call" : "stream", args } as const;
    return publishCall(about, settle, fail, (replied, failed) =>
      this.#requestInSpan(to, method, args, options, replied, failed, reader),
    );
  }

  #requestInSpan(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
    reader: StreamReader | undefined,
  ): number {
    const span = this.telemetry?.call(to.id, method);
    if (span === undefined)
      return this.#request({ to, method, args, options, settle, fail, carrier: undefined, reader });
    const replied = (value: unknown): void => {
      span.end();
      settle(value);
    };
    const failed = (error: unknown): void => {
      span.end(error);
      fail(error);
    };
    const { carrier } = span;
    return this.#request({ to, method, args, options, settle: replied, fail: failed, carrier, reader });
  }

  /** The call stays open as long as the stream: it settles when the stream has ended. */
  openStream(to: Peer, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    if (to.member !== undefined) throw noStreams(to.id, method);
    const failed = (error: unknown): void => {
      // Its message may still be handled, by this incarnation or, when it is delivered again, by the next.
      const mayBegin =
        isActorError(error, "ERR_CALL_TIMEOUT") || (isActorError(error, "ERR_CALL_EXIT") && reader.hasBegun);
      if (mayBegin && correlation !== 0) cancel();
      reader.failed(error);
    };
    let correlation = 0;
    const cancel = (): void => this.answer(to, KIND_CANCEL, 0, correlation, EMPTY);
    correlation = this.request(to, method, args, options, ignore, failed, reader);
    // It may have failed already, and been opened with another actor.
    if (!this.pending.has(correlation)) return;
    reader.linked({
      grant: (items, bytes) => {
        CREDIT.words[0] = items;
        CREDIT.words[1] = bytes;
        this.answer(to, KIND_CREDIT, 0, correlation, CREDIT);
      },
      closed: (outcome, isCancelled) => {
        const call = this.pending.take(correlation);
        if (outcome.failed) call?.fail(outcome.error, !isCancelled);
        else call?.succeed(undefined);
        if (isCancelled) cancel();
      },
    });
  }

  /** Runs a task in the pool of this uid. `isStream`: the last object of its transfer list is its stream's port. */
  abstract runTask(uid: number, id: string, task: unknown, options: RunOptions, isStream?: true): Promise<unknown>;

  streamTask(uid: number, id: string, task: unknown, options: RunOptions, reader: StreamReader): void {
    openTaskStream(this.codec, id, (all) => this.runTask(uid, id, task, all, true), options, reader);
  }

  /** Ends the streams that this thread reads, because nothing here will read on. */
  cancelStreams(): void {
    for (const { reader } of this.pending.all()) reader?.cancel();
  }

  #request(request: CallRequest): number {
    const { to, method, args, options, fail, carrier } = request;
    let methodId: number;
    let message: EncodedMessage;
    try {
      this.#checkCall(to, method, options.signal);
      methodId = this.numberOf(method);
      message = this.encode(to, methodId, method, args, options, carrier);
    } catch (error) {
      countFailure(to.words, to.uid, false, error);
      fail(error);
      return 0;
    }
    return this.#open(request, methodId, message, false);
  }

  /**
   * Sends a call whose arguments are encoded already and fit into the callee's ring. `settle` gets a reply without
   * references as an `EncodedReply`. Returns its correlation, for `giveUp`.
   */
  requestEncoded(
    to: Peer,
    method: string,
    payload: Payload,
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): number {
    const methodId = this.numberOf(method);
    const message = { payload: methodId < 0 ? withMethodText(payload, method) : payload, parcel: undefined };
    return this.#open({ to, method, options, settle, fail, reader: undefined }, methodId, message, true);
  }

  /** Calls `listener` when the mailbox has accepted the request, or the call has failed. False when it is so already. */
  whenEntered(correlation: number, listener: () => void): boolean {
    const call = this.pending.get(correlation);
    if (call === undefined || call.seq !== undefined) return false;
    call.entered = () => queueMicrotask(listener);
    return true;
  }

  /** The caller wants no reply any more: the call fails with this, and its handler's signal is aborted. */
  giveUp(correlation: number, to: Peer, error: unknown): void {
    if (!this.pending.has(correlation)) return;
    this.pending.fail(correlation, error);
    // With a full system lane the callee goes on for nothing, as it does after a timeout.
    to.system.push(KIND_CANCEL, 0, correlation, this.self.address, this.self.uid, EMPTY);
  }

  /** Makes an encoded call known as open, and sends it. Returns its correlation. */
  #open(
    { to, method, options, settle, fail, reader }: OpenedCall,
    methodId: number,
    message: EncodedMessage,
    wantsBytes: boolean,
  ): number {
    const { signal, timeoutMs = callTimeoutOf(to.words) } = options;
    if (!to.knownAsCaller) this.#announceAsCaller(to);
    const correlation = reader === undefined ? this.nextCorrelation() : this.#nextStream();
    const call = this.pending.open(correlation, to, method, timeoutMs, settle, fail);
    if (wantsBytes) call.wantsBytes = true;
    call.reader = reader;
    this.replyExpected();
    if (signal !== undefined) this.#cancelWhenAborted(call, to, signal);
    if (to.unsent.length !== 0 || !this.#sendNow(call, to, methodId, message, timeoutMs)) {
      this.#sendLater(call, to, methodId, message, timeoutMs);
    }
    return correlation;
  }

  #checkCall(to: Peer, method: string, signal: AbortSignal | undefined): void {
    if (to.uid === this.self.uid) {
      throw new ActorError(
        "ERR_CALLING_SELF",
        `id=${to.id} method=${method}: an actor that calls itself would wait for ever`,
        { id: to.id, method },
      );
    }
    if (signal?.aborted === true) throw callAborted(to.id, method, signal);
  }

  #cancelWhenAborted(call: PendingCall, to: Peer, signal: AbortSignal): void {
    const { correlation, method } = call;
    call.release = whenAborted(signal, () => {
      const error = callAborted(to.id, method, signal);
      if (call.reader === undefined) this.giveUp(correlation, to, error);
      else call.reader.cancel({ failed: true, error });
    });
  }

  /** Pushes a call's message. False when it has to wait for room; true when it was sent, or the call has failed. */
  #sendNow(
    call: PendingCall,
    to: Peer,
    methodId: number,
    { payload, parcel }: EncodedMessage,
    timeoutMs: number,
  ): boolean {
    const { correlation, method } = call;
    let outcome: number;
    try {
      // What is passed on comes in bunches.
      outcome = call.wantsBytes
        ? this.pushSoon(to, KIND_CALL, methodId, correlation, payload)
        : this.push(to, kindOf(call), methodId, correlation, payload, parcel);
    } catch (error) {
      this.pending.fail(correlation, error);
      return true;
    }
    if (outcome === PUSHED) {
      call.seq = to.mailbox.lastSeq;
      // The callee's answer comes later, whatever it is.
      if (timeoutMs === 0) this.pending.expire(performance.now());
      return true;
    }
    if (outcome === CLOSED) {
      this.pending.fail(correlation, refused(to, method, this.whyGone));
      return true;
    }
    if (outcome !== FULL || to.overflow === "block") return false;
    if (to.overflow === "drop_newest") this.overflow.drop(to, method);
    this.pending.fail(correlation, mailboxFull(to, method));
    return true;
  }

  #sendLater(
    call: PendingCall,
    to: Peer,
    methodId: number,
    { payload, parcel }: EncodedMessage,
    timeoutMs: number,
  ): void {
    const { correlation } = call;
    this.waitForRoom({
      peer: to,
      kind: kindOf(call),
      method: methodId,
      correlation,
      payload: keepPayload(payload),
      parcel,
      deadline: performance.now() + Math.min(to.blockTimeoutMs, timeoutMs),
      wanted: () => this.pending.has(correlation),
      accepted: (seq) => call.acceptedAs(seq),
      refused: (error) => this.pending.fail(correlation, error),
    });
  }

  protected nextCorrelation(): number {
    const words = this.self.memory.words;
    const correlation = words[NEXT_CORRELATION];
    words[NEXT_CORRELATION] = correlation === 0x7fffffff ? 1 : correlation + 1;
    return correlation;
  }

  #nextStream(): number {
    const words = this.self.memory.words;
    const { pending } = this;
    let correlation = words[NEXT_STREAM];
    // A stream may be older than all the numbers there are.
    do correlation = correlation < 0 ? (correlation - 1) | 0 : -1;
    while (correlation >= 0 || pending.has(correlation));
    words[NEXT_STREAM] = correlation;
    return correlation;
  }

  /** So that main knows which callers to tell when the callee exits. Before the first call is sent. */
  #announceAsCaller(to: Peer): void {
    addEndpoint(to.words, CALLERS, this.self.memory.words[ENDPOINT_INDEX]);
    to.knownAsCaller = true;
  }
}

function kindOf({ reader }: PendingCall): number {
  return reader === undefined ? KIND_CALL : KIND_STREAM;
}
