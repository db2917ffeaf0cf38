import type { ActorContext } from "../actor/context.js";
import type { ActorDefinition, HandlersOf } from "../actor/define-actor.js";
import type { Carrier, Occasion, OpenSpan, Telemetry } from "../protocol/calls/telemetry.js";
import { describe } from "../protocol/errors/describe.js";
import { ActorError, isReplyError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import { numberedName } from "../protocol/memory/method-name.js";
import { METHOD_INFO, METHOD_INIT, METHOD_TERMINATE } from "../protocol/memory/name-table.js";
import {
  KIND_CALL,
  KIND_SEND,
  KIND_STREAM,
  kindOf,
  R_CORRELATION,
  R_ENQUEUED,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_SEQ,
  R_TYPE,
} from "../protocol/memory/record-descriptor.js";
import type { Throws } from "../protocol/options/throws.js";
import type { Parcel } from "../protocol/port/messages.js";
import { transferLost } from "../protocol/refs/transfer-list.js";
import type { Payload } from "../protocol/ring/payload.js";
import { FORMAT_MEMBER, FORMAT_PARCEL, FORMAT_TRACED } from "../protocol/ring/payload.js";
import type { RingReader } from "../protocol/ring/ring-reader.js";
import { payloadOf } from "../protocol/values/encoded.js";
import type { ActorOutbox } from "./actor-outbox.js";
import type { CurrentCall } from "./current-call.js";
import type { DirectPorts } from "./direct-ports.js";
import { type Handler, HandlerTable } from "./handler-table.js";
import type { LoopHost } from "./loop-host.js";
import type { LoopState } from "./loop-state.js";
import type { Meter } from "./meter.js";
import { isStream } from "./outgoing-stream.js";
import { ParcelClaim } from "./parcel-claim.js";
import { HANDLE_CHANNEL, publishHandling } from "./published-handling.js";
import type { OwnMessage } from "./snapshot.js";
import type { Streams } from "./streams.js";
import { isThenable } from "./thenable.js";
import { kindOfMessage, type Tracer } from "./tracer.js";

/** The line about a handler that threw while no call waited. */
export const THREW = "a handler threw where no call waits for it; the actor goes on";

/** What a handler works on and reports to. */
export interface HandlerParts {
  readonly definition: ActorDefinition<any, any, HandlersOf<any>>;
  readonly context: ActorContext<any>;
  readonly mailbox: RingReader;
  readonly outbox: ActorOutbox;
  readonly direct: DirectPorts;
  readonly call: CurrentCall;
  readonly streams: Streams;
  readonly loopState: LoopState;
  readonly meter: Meter;
  readonly host: LoopHost;
  /** There is something to do again. */
  schedule(): void;
  /** The current message is handled but for its reply. Before that: its caller may send the next one at once. */
  mayRest(): void;
  /** What a handler does that throws. Default: the actor crashes. */
  readonly throws: Throws | undefined;
}

/**
 * Handles one message at a time: finds its handler, runs it, answers the caller, and commits the message to the
 * mailbox. Over 350 lines, because the message under way is one state, and whatever ends it (a reply, a throw, a stream,
 * the actor's end) changes that state.
 */
export class MessageHandler {
  /** Present while main traces this actor. */
  tracer: Tracer | undefined;
  readonly #definition: ActorDefinition<any, any, HandlersOf<any>>;
  readonly #context: ActorContext<any>;
  readonly #mailbox: RingReader;
  readonly #outbox: ActorOutbox;
  readonly #call: CurrentCall;
  readonly #loopState: LoopState;
  readonly #meter: Meter;
  readonly #host: LoopHost;
  readonly #schedule: () => void;
  readonly #mayRest: () => void;
  readonly #survivesThrows: boolean;
  readonly #state: ConsumerState;
  readonly #handlers: HandlerTable;
  readonly #streams: Streams;
  readonly #claim: ParcelClaim;
  /** The current message is a call that was given up: its parcel is taken, and not handled. */
  #givenUp = false;
  /** From the current message, when its sender traces it. */
  #carrier: Carrier | undefined;
  /** How the current message of the actor's own came about; undefined when it belongs to no trace. */
  #occasion: Occasion | undefined;
  #span: OpenSpan | undefined;

  constructor(parts: HandlerParts) {
    this.#definition = parts.definition;
    this.#context = parts.context;
    this.#mailbox = parts.mailbox;
    this.#outbox = parts.outbox;
    this.#call = parts.call;
    this.#loopState = parts.loopState;
    this.#meter = parts.meter;
    this.#host = parts.host;
    this.#schedule = parts.schedule;
    this.#mayRest = parts.mayRest;
    this.#survivesThrows = parts.throws === "reply";
    this.#state = new ConsumerState(parts.outbox.self.memory.words);
    this.#handlers = new HandlerTable(parts.definition, parts.outbox.names);
    this.#streams = parts.streams;
    this.#claim = new ParcelClaim(parts.outbox, parts.direct);
    parts.call.methodName = () => this.#nameOf(parts.mailbox.header[R_METHOD]);
    this.#state.beginInit(METHOD_INIT);
  }

  /** `init` is done. */
  initialised(): void {
    this.#loopState.busy = false;
    this.#state.endHandling();
  }

  /** Handles the message that the mailbox has moved to. */
  handle(): void {
    const { header, payload } = this.#mailbox;
    if ((payload.format & FORMAT_MEMBER) !== 0) {
      this.#forMember(payload);
      return;
    }
    const kind = kindOf(header[R_TYPE]);
    const methodId = header[R_METHOD];
    this.#call.begin(
      kind === KIND_CALL || kind === KIND_STREAM
        ? { address: header[R_SENDER_ADDRESS], uid: header[R_SENDER_UID], correlation: header[R_CORRELATION] }
        : undefined,
    );
    const isParcel = payload.format === FORMAT_PARCEL;
    this.#givenUp = this.#call.takeCancelled();
    if (this.#givenUp && (!isParcel || this.#claim.discard(payload))) {
      this.#commit();
      return;
    }
    this.#meter.begin(header[R_ENQUEUED], header[R_SEQ]);
    if (!isParcel) {
      this.#open(kind, methodId, payload);
      return;
    }
    // The mailbox waits until the parcel has come, because messages keep their order.
    this.#loopState.busy = true;
    this.#parcelCame(this.#claim.claim(payload));
  }

  /** The content of the current message has come, or is lost. */
  parcelArrived(parcel: Parcel | null): void {
    this.#parcelCame(this.#claim.answered(parcel));
  }

  #parcelCame(parcel: Parcel | null | undefined): void {
    if (parcel === undefined) return;
    const { header } = this.#mailbox;
    const methodId = header[R_METHOD];
    this.#loopState.busy = false;
    if (this.#givenUp) {
      this.#commit();
    } else if (parcel === null) {
      const method = this.#nameOf(methodId);
      const detail = "lost: its sender died before it was handed over, or what it transfers is gone";
      this.#unhandled(method, detail, transferLost({ id: this.#context.id, method }));
      this.#commit();
    } else {
      const content = payloadOf(parcel.content);
      if ((content.format & FORMAT_MEMBER) !== 0) this.#forMember(content, parcel.transferred);
      else this.#open(kindOf(header[R_TYPE]), methodId, content, parcel.transferred);
    }
  }

  /** Of a partition: the current message is for one of its members. */
  #forMember(content: Payload, transferred?: readonly unknown[]): void {
    const { header, methodText, payload } = this.#mailbox;
    const text = header[R_METHOD] < 0 ? methodText : "";
    const countedBytes = payload.length + Math.max(0, -header[R_METHOD]);
    this.#host.members?.receive(header, text, content, countedBytes, transferred);
    this.#commit();
  }

  handleOwn({ method, args, carrier, everyMs }: OwnMessage): void {
    this.#call.begin(undefined);
    this.#carrier = carrier;
    // DOWN and EXIT belong to no trace.
    this.#occasion = method === "" ? undefined : everyMs === undefined || everyMs === 0 ? "own" : "interval";
    const handler = method === "" ? this.#info : this.#handlers.named(method);
    if (handler === undefined) {
      this.#host.unhandled(method, this.#unknownMethod);
      return;
    }
    this.#meter.beginOwn();
    const methodId = method === "" ? 0 : this.#outbox.names.find(method);
    // -1: a method without a number; 0 would mean `info`.
    if (methodId === 0 && method !== "") this.#run(handler, -1, method, args, false);
    else this.#run(handler, methodId, "", args, false);
  }

  /** Ends the streams, runs the actor's `terminate`, and ends the thread. */
  terminate(reason: ExitReason): void {
    this.#loopState.busy = true;
    this.#streams.endAll(() => {
      if (!this.#loopState.ended) this.#terminate(reason);
    });
  }

  #terminate(reason: ExitReason): void {
    const { terminate } = this.#definition;
    if (terminate === undefined) {
      this.#end(reason);
      return;
    }
    this.#state.beginHandling(METHOD_TERMINATE);
    try {
      const result = terminate.call(this.#definition, this.#context, reason);
      if (isThenable(result)) {
        result.then(
          () => this.#end(reason),
          (error: unknown) => this.#end({ kind: "error", error }),
        );
      } else {
        this.#end(reason);
      }
    } catch (error) {
      this.#end({ kind: "error", error });
    }
  }

  #open(kind: number, methodId: number, payload: Payload, transferred?: readonly unknown[]): void {
    let args: unknown[];
    const traced = (payload.format & FORMAT_TRACED) !== 0;
    payload.format &= ~FORMAT_TRACED;
    try {
      args = this.#outbox.codec.decodeArgs(payload, transferred);
    } catch (error) {
      this.#unhandled(this.#nameOf(methodId), `undecodable: ${describe(error)}`, error);
      this.#commit();
      return;
    }
    this.#carrier = traced ? (args.pop() as Carrier) : undefined;
    if (this.#host.members?.isOfMain(args) === false) {
      this.#refuseToPartition(this.#nameOf(methodId));
      return;
    }
    const handler = kind === KIND_SEND ? this.#info : (this.#handlers.numbered(methodId) ?? this.#find(methodId));
    if (handler === undefined) {
      const method = this.#nameOf(methodId);
      this.#unhandled(method, this.#unknownMethod, this.#handlers.unknownMethod(this.#context.id, method, args));
      this.#commit();
      return;
    }
    this.#run(handler, methodId, methodId < 0 ? this.#mailbox.methodText : "", args, true);
  }

  /** Users have the reference of a partition, for its numbers and its end: their messages are for its light actors. */
  #refuseToPartition(method: string): void {
    const { id } = this.#context;
    const why = "a partition takes no messages: send them to its light actors";
    const message = `id=${id} method=${method}: no such handler; ${why}`;
    this.#unhandled(method, why, new ActorError("ERR_UNKNOWN_METHOD", message, { id, method }));
    this.#commit();
  }

  #find(methodId: number): Handler | undefined {
    return this.#handlers.find(methodId, this.#nameOf(methodId));
  }

  /** The method of the current message. */
  #nameOf(methodId: number): string {
    return methodId < 0 ? this.#mailbox.methodText : numberedName(this.#outbox.names, methodId);
  }

  readonly #info: Handler = (context, message: unknown) => {
    const { info } = this.#definition;
    if (info === undefined) {
      this.#host.unhandled("info", "the actor has no info handler");
      return undefined;
    }
    return info.call(this.#definition, context, message);
  };

  /** `method` is the name of a method without a number, and "" for any other. */
  #run(handler: Handler, methodId: number, method: string, args: unknown[], fromMailbox: boolean): void {
    if (method !== "") this.#state.beginHandlingNamed(method);
    else this.#state.beginHandling(methodId === 0 ? METHOD_INFO : methodId);
    this.tracer?.begin(this.#shownName(methodId, method), kindOfMessage(methodId, fromMailbox, this.#call));
    let result: unknown;
    try {
      result = HANDLE_CHANNEL.hasSubscribers
        ? this.#runPublished(handler, methodId, method, args, fromMailbox)
        : this.#runHandler(handler, methodId, method, args, fromMailbox);
    } catch (error) {
      this.#failed(error, methodId, method, fromMailbox);
      return;
    }
    if (isThenable(result)) {
      this.#loopState.busy = true;
      result.then(
        (value) => {
          this.#loopState.busy = false;
          this.#succeeded(value, fromMailbox);
          this.#schedule();
        },
        (error: unknown) => {
          this.#loopState.busy = false;
          this.#failed(error, methodId, method, fromMailbox);
          this.#schedule();
        },
      );
      return;
    }
    this.#succeeded(result, fromMailbox);
  }

  #runPublished(handler: Handler, methodId: number, method: string, args: unknown[], fromMailbox: boolean): unknown {
    const { id, incarnation } = this.#context;
    const kind = kindOfMessage(methodId, fromMailbox, this.#call);
    return publishHandling({ id, incarnation, method: this.#shownName(methodId, method), kind, args }, () =>
      this.#runHandler(handler, methodId, method, args, fromMailbox),
    );
  }

  #runHandler(handler: Handler, methodId: number, method: string, args: unknown[], fromMailbox: boolean): unknown {
    const { telemetry } = this.#outbox;
    return telemetry !== undefined && (fromMailbox || this.#occasion !== undefined)
      ? this.#runInSpan(telemetry, handler, this.#shownName(methodId, method), args, fromMailbox)
      : this.#apply(handler, args);
  }

  #apply(handler: Handler, args: unknown[]): unknown {
    const { handlers } = this.#definition;
    // One argument is the most frequent case, and to spread it costs as much as the rest of the call.
    return args.length === 1
      ? handler.call(handlers, this.#context, args[0])
      : handler.call(handlers, this.#context, ...args);
  }

  #shownName(methodId: number, method: string): string {
    return method !== "" ? method : this.#outbox.names.name(methodId === 0 ? METHOD_INFO : methodId);
  }

  #runInSpan(telemetry: Telemetry, handler: Handler, method: string, args: unknown[], fromMailbox: boolean) {
    const sent = this.#call.caller === undefined ? "cast" : "call";
    const occasion = fromMailbox ? sent : (this.#occasion as Occasion);
    const run = () => this.#apply(handler, args);
    const [result, span] = telemetry.handle(this.#context.id, method, occasion, this.#carrier, run);
    this.#span = span;
    return result;
  }

  #endSpan(error?: unknown): void {
    this.#span?.end(error);
    this.#span = undefined;
  }

  #succeeded(value: unknown, fromMailbox: boolean): void {
    const { caller, isAwaited } = this.#call;
    if (caller === undefined) {
      if (isStream(value)) this.#unread(value);
    } else if (isAwaited) {
      if (fromMailbox) this.#mayRest();
      this.#call.reply(caller, value);
    }
    if (this.#loopState.ended) return;
    this.tracer?.end("ok");
    this.#endSpan();
    this.#handledOne(fromMailbox);
  }

  #failed(error: unknown, methodId: number, method: string, fromMailbox: boolean): void {
    this.#endSpan(error);
    const isOurs = isReplyError(error);
    if (!isOurs && !this.#survivesThrows) {
      this.#meter.end();
      this.tracer?.end("error");
      this.#end({ kind: "error", error });
      return;
    }
    this.tracer?.end("failed");
    if (!this.#call.failed(error)) {
      const { log } = this.#host;
      if (isOurs) log.warn(error, "a ReplyError was thrown where no call waits for it");
      else log.error({ err: error, method: this.#shownName(methodId, method) }, THREW);
    }
    this.#handledOne(fromMailbox);
  }

  /** A generator of an open stream is about to run. */
  beginItem(method: string): void {
    const methodId = this.#outbox.names.find(method);
    if (methodId === 0) this.#state.beginHandlingNamed(method);
    else this.#state.beginHandling(methodId);
  }

  /** A generator of an open stream has thrown. With `fail`, its reader waits for the error. */
  streamThrew(error: unknown, method: string, fail: ((error: unknown) => void) | undefined): void {
    if (this.#loopState.ended) return;
    const isOurs = isReplyError(error);
    if (!isOurs && !this.#survivesThrows) this.#end({ kind: "error", error });
    else if (fail !== undefined) fail(error);
    else this.#host.log.error({ err: error, method }, THREW);
  }

  /** A handler has answered with a stream to what is no call. */
  #unread(value: unknown): void {
    this.#host.unhandled(this.#call.methodName(), "its handler answers with a stream, which only ref.stream reads");
    this.#streams.discard(value);
  }

  #handledOne(fromMailbox: boolean): void {
    this.#meter.end();
    if (fromMailbox) this.#commit();
    else this.#state.endHandling();
  }

  #commit(): void {
    this.#state.endHandling();
    this.#mailbox.commit();
  }

  get #unknownMethod(): string {
    return `unknown method; handlers: ${this.#handlers.names}`;
  }

  #unhandled(method: string, detail: string, error: unknown): void {
    const { caller } = this.#call;
    if (caller !== undefined) this.#call.fail(caller, error);
    else this.#host.unhandled(method, detail);
  }

  #end(reason: ExitReason): void {
    this.#loopState.ended = true;
    this.#host.exit(reason);
  }
}
