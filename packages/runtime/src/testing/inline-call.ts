import type { Replies } from "@mini-otp/worker-host/loop";
import { whenAborted } from "@mini-otp/worker-host/protocol/calls";
import { ActorError, describeExit, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { KIND_ITEMS, KIND_REPLY } from "@mini-otp/worker-host/protocol/memory";
import { callAborted, type RefOptions, type StreamReader } from "@mini-otp/worker-host/protocol/refs";
import type { Clock } from "../supervision/clock.js";
import { type Deferred, deferred } from "../supervision/deferred.js";
import { type InlineSender, moved } from "./inline-world.js";

/** A call to an actor on this thread. It settles once. */
export class InlineCall {
  readonly correlation: number;
  readonly method: string;
  settled = false;
  readonly #outcome: Deferred<unknown> = deferred();
  readonly #cleanUp: () => void;
  readonly #stopTimer: () => void;
  /** The caller's. */
  readonly codec: InlineSender["codec"];
  /** Reads the stream that the call has opened. */
  readonly reader: StreamReader | undefined;

  /** `givenUp` is called when the caller stops waiting. */
  constructor(
    id: string,
    correlation: number,
    method: string,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
    clock: Clock,
    givenUp: (call: InlineCall) => void,
    codec: InlineSender["codec"],
    reader?: StreamReader,
  ) {
    this.codec = codec;
    this.reader = reader;
    const { timeoutMs, signal } = options;
    this.correlation = correlation;
    this.method = method;
    const abort = (): void => {
      const error = callAborted(id, method, signal as AbortSignal);
      this.reader?.cancel({ failed: true, error });
      this.fail(error);
      givenUp(this);
    };
    const expire = (): void => {
      const message = `id=${id} method=${method}: no reply within timeoutMs=${timeoutMs}`;
      this.fail(new ActorError("ERR_CALL_TIMEOUT", message, { id, method, timeoutMs }));
      givenUp(this);
    };
    const timer = timeoutMs === Infinity ? undefined : clock.setTimer(timeoutMs, expire);
    const release = signal === undefined ? undefined : whenAborted(signal, abort);
    this.#stopTimer = () => timer?.cancel();
    this.#cleanUp = () => {
      timer?.cancel();
      release?.();
    };
    if (signal?.aborted === true) abort();
  }

  get outcome(): Promise<unknown> {
    return this.#outcome.promise;
  }

  /** The actor has begun to answer: the call has no timeout any more. */
  begun(): void {
    this.#stopTimer();
  }

  settle(value: unknown): void {
    if (this.#isFirst()) this.#outcome.resolve(value);
  }

  fail(error: unknown): void {
    if (!this.#isFirst()) return;
    this.reader?.failed(error);
    this.#outcome.reject(error);
  }

  #isFirst(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#cleanUp?.();
    return true;
  }
}

/** The calls to one inline actor that have not settled. Its replies pass through here. */
export class InlineCalls implements Replies {
  readonly #id: string;
  readonly #sender: InlineSender;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #givenUp: (call: InlineCall) => void;
  readonly #open = new Map<number, InlineCall>();
  #lastCorrelation = 0;
  #lastStream = 0;

  /** `timeoutMs` is for calls whose caller does not say. `givenUp` is called with each call that is given up. */
  constructor(id: string, sender: InlineSender, clock: Clock, timeoutMs: number, givenUp: (call: InlineCall) => void) {
    this.#id = id;
    this.#sender = sender;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#givenUp = givenUp;
  }

  get codec(): InlineSender["codec"] {
    return this.#sender.codec;
  }

  /** `codec` is the caller's. With `reader`, the call opens a stream. */
  open(method: string, options: RefOptions, codec: InlineSender["codec"], reader?: StreamReader): InlineCall {
    const correlation = reader === undefined ? ++this.#lastCorrelation : --this.#lastStream;
    const { timeoutMs = this.#timeoutMs, signal } = options;
    const limits = { timeoutMs, signal };
    const call = new InlineCall(this.#id, correlation, method, limits, this.#clock, this.#givenUp, codec, reader);
    this.#open.set(correlation, call);
    const settled = (): boolean => this.#open.delete(correlation);
    call.outcome.then(settled, settled);
    return call;
  }

  reply(...[, , kind, correlation, payload, transfer, number = 0]: Parameters<Replies["reply"]>): void {
    const transferred = moved(transfer);
    const call = this.#open.get(correlation);
    if (call === undefined) return;
    if (kind === KIND_ITEMS) {
      call.begun();
      call.reader?.received(number, call.codec.decodeArgs(payload), payload.length);
      return;
    }
    let value: unknown;
    try {
      value = call.codec.decodeValue(payload, transferred);
    } catch (error) {
      call.fail(error);
      return;
    }
    if (kind === KIND_REPLY) {
      call.reader?.finished(number, { failed: false });
      call.settle(value);
    } else call.fail(value);
  }

  /** The actor has ended for this reason: all calls fail but those that wait for its next incarnation. */
  exited(reason: ExitReason, waiting: ReadonlySet<InlineCall | undefined>): void {
    const id = this.#id;
    for (const call of this.#open.values()) {
      if (waiting.has(call)) continue;
      const { method } = call;
      const message = `id=${id} method=${method}: the actor exited before it replied: ${describeExit(reason)}`;
      call.fail(new ActorError("ERR_CALL_EXIT", message, { id, method, reason }));
    }
  }
}
