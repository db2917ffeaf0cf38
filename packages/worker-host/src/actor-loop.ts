import type { ActorOutbox } from "./actor-outbox.js";
import type { ActorContext, ActorLog, DeferredReply } from "./context.js";
import { type ActorDefinition, type HandlersOf, OTHERWISE } from "./define-actor.js";
import type { IdleStrategy } from "./idle-strategy.js";
import type { Inbox } from "./inbox.js";
import type { Meter } from "./meter.js";
import type { Microtasks } from "./microtasks.js";
import { ActorRef } from "./protocol/actor-ref.js";
import {
  decodeReason,
  type Encoded,
  encoded,
  encodeForeign,
  type InitData,
  type MessageKind,
  type Parcel,
  payloadOf,
} from "./protocol/boot.js";
import { FORMAT_PARCEL, FORMAT_TRACED } from "./protocol/codec.js";
import { ActorError, isReplyError } from "./protocol/errors.js";
import { type ExitReason, NORMAL } from "./protocol/exit-reason.js";
import type { Payload } from "./protocol/payload.js";
import {
  KIND_CALL,
  KIND_FAILURE,
  KIND_REPLY,
  KIND_SEND,
  kindOf,
  R_CORRELATION,
  R_ENQUEUED,
  R_METHOD,
  R_SENDER_ADDRESS,
  R_SENDER_UID,
  R_SEQ,
  R_TYPE,
} from "./protocol/record-descriptor.js";
import { COMLINK_METHOD } from "./protocol/remote.js";
import { takeReply } from "./protocol/replies.js";
import { ACTIVE, DISPATCHES, HANDLING, LATE_REPLIES, TURNS } from "./protocol/slot-descriptor.js";
import type { OpenSpan, Telemetry } from "./protocol/telemetry.js";
import { Outgoing, outgoing } from "./protocol/wire-value.js";
import type { OwnMessage, Snapshot } from "./snapshot.js";
import { Timers } from "./timers.js";
import { Tracer } from "./tracer.js";

/** An idle actor first sleeps holding its thread (it wakes fastest so), then lets its event loop turn. */
const HOLD_MS = 10;
/** Under load the event loop turns at least this often. */
const TURN_MS = 4;
const MESSAGES_PER_CLOCK_READ = 64;
const MAX_CANCELLED = 1024;
const MAX_DEMONITORED = 1024;

/** Where a call's reply goes. */
interface ReplyTo {
  readonly address: number;
  readonly uid: number;
  readonly correlation: number;
}

/** While its place is being taken, an actor gives these back to main, for whoever has it then. */
const FOR_THE_SUCCESSOR = new Set(["info", "suspend", "resume", "get_state", "replace_state", "stop"]);

/** What the loop leaves to its host. */
export interface LoopHost {
  readonly log: ActorLog;
  /** Reports the reason and ends the thread. Does not return. */
  exit(reason: ExitReason): void;
  /** Ends the thread, whose actor lives on in another. */
  leave?(): void;
  /** A message that no handler was there for. */
  unhandled(method: string, detail: string): void;
}

/**
 * One incarnation of an actor: takes one message at a time, in the order of: main's control messages, replies,
 * what `continueWith` asked for, due timers, the mailbox. Between two messages microtasks run.
 */
export class ActorLoop {
  readonly context: ActorContext<any>;
  readonly #definition: ActorDefinition<any, any, HandlersOf<any>>;
  readonly #inbox: Inbox;
  readonly #outbox: ActorOutbox;
  readonly #idle: IdleStrategy;
  readonly #microtasks: Microtasks;
  readonly #meter: Meter;
  /** While somebody traces this actor. */
  #tracer: Tracer | undefined;
  /** Of the message that is being handled, when it is traced. */
  #traceparent: string | undefined;
  #span: OpenSpan | undefined;
  readonly #host: LoopHost;
  readonly #words: Int32Array;
  readonly #handlers = new Map<number, (context: ActorContext<any>, ...args: any[]) => unknown>();
  readonly #timers = new Timers();
  readonly #continuations: OwnMessage[] = [];
  readonly #signals: OwnMessage[] = [];
  readonly #demonitored = new Set<number>();
  /** Made when the handler asks for its signal. */
  #signal: AbortController | undefined;
  #stopRequested = false;
  #suspended = false;
  /** Another thread is to take this one's place before the next message. */
  #handOver = false;
  /** The state has been handed over: nothing is handled here any more, unless main says to go on. */
  #frozen = false;
  #lastMonitor = 0;
  /** Calls that were given up before they were handled. */
  readonly #cancelled = new Set<string>();
  readonly #openAtStart: number;
  readonly #infoId: number;

  // Until init is done, the loop serves replies and main only, as while a handler is busy.
  #busy = true;
  #stopping: ExitReason | undefined;
  #draining: ExitReason | undefined;
  #ended = false;
  #scheduled = false;
  #replyTo: ReplyTo | undefined;
  #deferred = false;
  #handled = 0;
  #lastTurn = 0;
  #heldSince = 0;
  #wakeTimer: NodeJS.Timeout | undefined;
  #wakeAt = Infinity;

  constructor(
    definition: ActorDefinition,
    init: InitData,
    args: unknown,
    inbox: Inbox,
    outbox: ActorOutbox,
    idle: IdleStrategy,
    microtasks: Microtasks,
    meter: Meter,
    host: LoopHost,
  ) {
    this.#definition = definition;
    this.#inbox = inbox;
    this.#outbox = outbox;
    this.#idle = idle;
    this.#microtasks = microtasks;
    this.#meter = meter;
    this.#host = host;
    this.#words = outbox.self.memory.words;
    for (const method of Object.keys(definition.handlers)) {
      this.#handlers.set(outbox.names.intern(method), definition.handlers[method]);
    }
    this.#infoId = outbox.names.intern("info");
    this.#words[HANDLING] = outbox.names.intern("init");
    this.context = this.#createContext(init, args);
    outbox.onDeadline = () => this.#schedule();
    // What is open now is the runtime's own (the port); anything more later is the user's async work.
    this.#openAtStart = process.getActiveResourcesInfo().length;
  }

  /** Settles calls from now on, so that `init` can make some. */
  start(): void {
    this.#inbox.control.onMessage(() => this.#schedule());
    this.#schedule();
  }

  /** Init is done: takes messages from now on. */
  takeMessages(state: unknown): void {
    this.context.state = state;
    this.#busy = false;
    this.#words[HANDLING] = 0;
    this.#schedule();
  }

  /** Goes on where another thread has left off. Before `takeMessages`. */
  restore(snapshot: Snapshot): void {
    this.#suspended = snapshot.suspended;
    this.#timers.restore(performance.now(), snapshot.timers, snapshot.lastTimer);
    this.#continuations.push(...snapshot.continuations);
    this.#signals.push(...snapshot.signals);
    this.#lastMonitor = snapshot.lastMonitor;
    for (const monitor of snapshot.demonitored) this.#demonitored.add(monitor);
    for (const call of snapshot.cancelled) this.#cancelled.add(call);
  }

  /** What main has said is handled: here when called from a blocking call, else from the loop. */
  takeControl(): void {
    const { control } = this.#inbox;
    const { codec, pending } = this.#outbox;
    control.poll();
    for (let message = control.next(); message !== undefined; message = control.next()) {
      if (this.#frozen && FOR_THE_SUCCESSOR.has(message.type)) {
        this.#outbox.post({ type: "returned", message });
        continue;
      }
      switch (message.type) {
        case "hand_over":
          this.#handOver = true;
          break;
        case "go_on":
          this.#handOver = this.#frozen = false;
          break;
        case "leave":
          this.#ended = true;
          this.#host.leave?.();
          break;
        case "callee_exited":
          // Replies sent before the exit come first.
          this.#outbox.takeReplies();
          pending.calleeExited(
            message.uid,
            decodeReason(codec, message.reason),
            message.consumedBefore,
            message.closed,
          );
          break;
        case "reply":
          takeReply(codec, pending, message.kind, message.correlation, payloadOf(message.payload), message.transferred);
          break;
        case "parcel":
          this.#parcelArrived(message.parcel);
          break;
        case "task_settled":
          this.#outbox.taskSettled(message);
          break;
        case "found":
          this.#outbox.found(message.ref);
          break;
        case "suspend":
        case "resume":
          this.#suspended = message.type === "suspend";
          this.#answer(message.request, undefined);
          break;
        case "get_state":
          this.#answer(message.request, this.context.state);
          break;
        case "replace_state":
          this.#replaceState(message.request, message.state);
          break;
        case "break_cycle":
          this.#outbox.breakCycle(message.cycle);
          break;
        case "trace":
          this.#tracer ??= new Tracer((traced) => this.#outbox.post(traced));
          this.#tracer.watch(message);
          break;
        case "trace_credit":
          this.#tracer?.grant(message.trace, message.credit);
          break;
        case "untrace":
          this.#tracer?.unwatch(message.trace);
          if (this.#tracer?.idle) this.#tracer = undefined;
          break;
        case "info":
          this.#signals.push({ method: "", args: codec.decodeArgs(payloadOf(message.message)) });
          break;
        case "stop":
          this.#stopRequested = true;
          if (message.drain) this.#draining ??= decodeReason(codec, message.reason);
          else this.#stopping ??= decodeReason(codec, message.reason);
          this.#signal?.abort();
          break;
        default:
          break;
      }
    }
  }

  /** A caller has given up: its handler's signal is aborted, or it is not handled at all. */
  cancelled(callerUid: number, correlation: number): void {
    const current = this.#replyTo;
    if (this.#busy && current?.uid === callerUid && current.correlation === correlation) {
      this.#signal?.abort();
      return;
    }
    // It waits in the mailbox, or has been answered meanwhile: those go when the set is full.
    if (this.#cancelled.size >= MAX_CANCELLED) this.#cancelled.clear();
    this.#cancelled.add(callKey(callerUid, correlation));
  }

  #currentSignal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#signal = new AbortController();
      if (this.#stopRequested) this.#signal.abort();
    }
    return this.#signal.signal;
  }

  #answer(request: number, value: unknown, failed = false): void {
    const { codec } = this.#outbox;
    try {
      this.#outbox.post({ type: "answer", request, failed, value: encoded(codec.encodeValue(value)) });
    } catch (error) {
      this.#outbox.post({ type: "answer", request, failed: true, value: encodeForeign(codec, error) });
    }
  }

  #replaceState(request: number, state: Encoded): void {
    try {
      this.context.state = this.#outbox.codec.decodeValue(payloadOf(state));
    } catch (error) {
      this.#answer(request, error, true);
      return;
    }
    this.#answer(request, undefined);
  }

  /** The next turn comes when all microtasks have run. */
  #schedule(): void {
    if (this.#scheduled || this.#ended) return;
    this.#scheduled = true;
    this.#microtasks.drain(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#inbox.awake();
    while (!this.#ended) {
      if (!this.#work()) {
        if (!this.#rest()) return;
      } else if (++this.#handled % MESSAGES_PER_CLOCK_READ === 0 && this.#turnIsDue()) {
        return;
      }
      if (this.#microtasks.due) {
        this.#schedule();
        return;
      }
    }
  };

  /** Does one thing. False when there was nothing to do. */
  #work(): boolean {
    const inbox = this.#inbox;
    const { pending } = this.#outbox;
    if (inbox.takeControlFlag() || inbox.control.pending) this.takeControl();
    if (inbox.system.pending) {
      this.#outbox.takeReplies();
      // Callers of this actor count in words next to it.
      if (this.#words[LATE_REPLIES] !== pending.late) this.#words[LATE_REPLIES] = pending.late;
      this.#words[TURNS]++;
      return true;
    }
    if (pending.size > 0 && pending.nextDeadline <= performance.now()) {
      pending.expire(performance.now());
      return true;
    }
    if (this.#busy || this.#frozen) return false;
    if (this.#stopping !== undefined) {
      this.#terminate(this.#stopping);
      return true;
    }
    if (this.#suspended && this.#draining === undefined) return this.#handOver && this.#freeze();
    const continuation = this.#continuations.shift() ?? this.#nextSignal() ?? this.#dueTimer();
    if (continuation !== undefined) {
      this.#dispatchOwn(continuation);
      return true;
    }
    if (this.#handOver) return this.#freeze();
    if (inbox.mailbox.next()) {
      this.#dispatch();
      return true;
    }
    if (this.#draining !== undefined) {
      this.#terminate(this.#draining);
      return true;
    }
    return false;
  }

  /** Between two messages: gives main what the next thread needs, and stands still. A state that cannot be carried stays here. */
  #freeze(): true {
    const { codec } = this.#outbox;
    this.#handOver = false;
    const snapshot: Snapshot = {
      state: this.context.state,
      version: this.#definition.version,
      suspended: this.#suspended,
      ...this.#timers.save(performance.now()),
      continuations: this.#continuations,
      signals: this.#signals,
      lastMonitor: this.#lastMonitor,
      demonitored: [...this.#demonitored],
      cancelled: [...this.#cancelled],
    };
    try {
      this.#outbox.post({ type: "handed_over", snapshot: encoded(codec.encodeValue(snapshot, undefined, "ctx")) });
      this.#frozen = true;
    } catch (error) {
      this.#outbox.post({ type: "hand_over_failed", error: encodeForeign(codec, error) });
    }
    return true;
  }

  /** DOWN and EXIT, in the order main sent them; none of a monitor that has been taken off meanwhile. */
  #nextSignal(): OwnMessage | undefined {
    for (let signal = this.#signals.shift(); signal !== undefined; signal = this.#signals.shift()) {
      const { type, monitor } = signal.args[0] as { type?: unknown; monitor?: number };
      if (type !== "DOWN" || !this.#demonitored.delete(monitor as number)) return signal;
    }
    return undefined;
  }

  #dueTimer(): OwnMessage | undefined {
    return this.#timers.nextDue === Infinity ? undefined : this.#timers.takeDue(performance.now());
  }

  #dispatch(): void {
    const { header, payload } = this.#inbox.mailbox;
    const kind = kindOf(header[R_TYPE]);
    const methodId = header[R_METHOD];
    this.#replyTo =
      kind === KIND_CALL
        ? { address: header[R_SENDER_ADDRESS], uid: header[R_SENDER_UID], correlation: header[R_CORRELATION] }
        : undefined;
    if (this.#replyTo !== undefined && this.#cancelled.delete(callKey(this.#replyTo.uid, this.#replyTo.correlation))) {
      this.#commit();
      return;
    }
    this.#meter.begin(header[R_ENQUEUED], header[R_SEQ]);
    if (payload.format === FORMAT_PARCEL) {
      // The rest of the mailbox waits until main has handed it over: messages keep their order.
      this.#busy = true;
      this.#outbox.post({ type: "claim", owner: payload.words[0], number: payload.words[1] });
      return;
    }
    this.#open(kind, methodId, payload);
  }

  #parcelArrived(parcel: Parcel | null): void {
    const { header } = this.#inbox.mailbox;
    const methodId = header[R_METHOD];
    this.#busy = false;
    if (parcel === null) {
      this.#unhandled(
        this.#outbox.names.name(methodId),
        "its sender died before it was handed over",
        new Error("lost"),
      );
      this.#commit();
    } else {
      this.#open(kindOf(header[R_TYPE]), methodId, payloadOf(parcel.content), parcel.transferred);
    }
  }

  #open(kind: number, methodId: number, payload: Payload, transferred?: readonly unknown[]): void {
    let args: unknown[];
    const traced = (payload.format & FORMAT_TRACED) !== 0;
    payload.format &= ~FORMAT_TRACED;
    try {
      args = this.#outbox.codec.decodeArgs(payload, transferred);
    } catch (error) {
      this.#unhandled(this.#outbox.names.name(methodId), `undecodable: ${String(error)}`, error);
      this.#commit();
      return;
    }
    this.#traceparent = traced ? (args.pop() as string) : undefined;
    const handler = kind === KIND_SEND ? this.#info : (this.#handlers.get(methodId) ?? this.#otherwise(methodId));
    if (handler === undefined) {
      const method = this.#outbox.names.name(methodId);
      const known = Object.keys(this.#definition.handlers).join(", ");
      const message =
        method === COMLINK_METHOD
          ? `id=${this.context.id}: ${String(args[0])} ${String(args[1])}: an actor's remote has methods only: ${known}`
          : `id=${this.context.id} method=${method}: no such handler; it has: ${known}`;
      this.#unhandled(
        method,
        "unknown method",
        new ActorError("ERR_UNKNOWN_METHOD", message, { id: this.context.id, method }),
      );
      this.#commit();
      return;
    }
    this.#run(handler, methodId, args, true);
  }

  /** What takes the messages that no handler is named after. */
  #otherwise(methodId: number): ((context: ActorContext<any>, ...args: any[]) => unknown) | undefined {
    const otherwise = this.#definition[OTHERWISE];
    if (otherwise === undefined) return undefined;
    const method = this.#outbox.names.name(methodId);
    return (context, ...args) => otherwise(context, method, args);
  }

  #dispatchOwn({ method, args }: OwnMessage): void {
    this.#replyTo = undefined;
    const methodId = method === "" ? 0 : this.#outbox.names.intern(method);
    const handler = method === "" ? this.#info : this.#handlers.get(methodId);
    if (handler === undefined) {
      this.#host.unhandled(method, "unknown method");
      return;
    }
    this.#meter.beginOwn();
    this.#run(handler, methodId, args, false);
  }

  readonly #info = (context: ActorContext<any>, message: unknown): unknown => {
    const { info } = this.#definition;
    if (info === undefined) {
      this.#host.unhandled("info", "the actor has no info handler");
      return undefined;
    }
    return info.call(this.#definition, context, message);
  };

  #run(
    handler: (context: ActorContext<any>, ...args: any[]) => unknown,
    methodId: number,
    args: unknown[],
    fromMailbox: boolean,
  ): void {
    const words = this.#words;
    words[HANDLING] = methodId === 0 ? this.#infoId : methodId;
    words[DISPATCHES]++;
    this.#deferred = false;
    this.#signal = undefined;
    this.#tracer?.begin(this.#outbox.names.name(words[HANDLING]), this.#kindOf(methodId, fromMailbox));
    let result: unknown;
    try {
      result =
        fromMailbox && this.#outbox.telemetry !== undefined
          ? this.#runInSpan(this.#outbox.telemetry, handler, methodId, args)
          : handler.call(this.#definition.handlers, this.context, ...args);
    } catch (error) {
      this.#failed(error, fromMailbox);
      return;
    }
    if (isThenable(result)) {
      this.#busy = true;
      result.then(
        (value) => {
          this.#busy = false;
          this.#succeeded(value, fromMailbox);
          this.#schedule();
        },
        (error: unknown) => {
          this.#busy = false;
          this.#failed(error, fromMailbox);
          this.#schedule();
        },
      );
      return;
    }
    this.#succeeded(result, fromMailbox);
  }

  #runInSpan(
    telemetry: Telemetry,
    handler: (context: ActorContext<any>, ...args: any[]) => unknown,
    methodId: number,
    args: unknown[],
  ): unknown {
    const method = this.#outbox.names.name(methodId === 0 ? this.#infoId : methodId);
    const isCall = this.#replyTo !== undefined;
    const run = () => handler.call(this.#definition.handlers, this.context, ...args);
    const [result, span] = telemetry.handle(this.context.id, method, isCall, this.#traceparent, run);
    this.#span = span;
    return result;
  }

  #endSpan(error?: unknown): void {
    this.#span?.end(error);
    this.#span = undefined;
  }

  #succeeded(value: unknown, fromMailbox: boolean): void {
    if (this.#replyTo !== undefined && !this.#deferred) this.#reply(this.#replyTo, value);
    if (this.#ended) return;
    this.#tracer?.end("ok");
    this.#endSpan();
    this.#handledOne(fromMailbox);
  }

  #kindOf(methodId: number, fromMailbox: boolean): MessageKind {
    if (!fromMailbox) return "own";
    return this.#replyTo !== undefined ? "call" : methodId === 0 ? "send" : "cast";
  }

  #failed(error: unknown, fromMailbox: boolean): void {
    this.#endSpan(error);
    if (!isReplyError(error)) {
      this.#meter.end();
      this.#tracer?.end("error");
      this.#end({ kind: "error", error });
      return;
    }
    this.#tracer?.end("failed");
    if (this.#replyTo !== undefined && !this.#deferred) this.#replyFailure(this.#replyTo, error);
    else this.#host.log.warn(error, "a ReplyError was thrown where no call waits for it");
    this.#handledOne(fromMailbox);
  }

  #handledOne(fromMailbox: boolean): void {
    this.#meter.end();
    if (fromMailbox) this.#commit();
    else this.#words[HANDLING] = 0;
  }

  #commit(): void {
    this.#words[HANDLING] = 0;
    this.#inbox.mailbox.commit();
  }

  #unhandled(method: string, detail: string, error: unknown): void {
    if (this.#replyTo !== undefined) this.#replyFailure(this.#replyTo, error);
    else this.#host.unhandled(method, detail);
  }

  #reply(to: ReplyTo, value: unknown): void {
    const { codec } = this.#outbox;
    const out = value instanceof Outgoing ? value : outgoing(value);
    let payload: Payload;
    try {
      payload = out === undefined ? codec.encodeValue(value) : codec.encodeValue(out.value, out.transfer);
    } catch (error) {
      // The reply cannot be carried: that is the actor's mistake, not its caller's.
      this.#replyFailure(to, error);
      return;
    }
    this.#outbox.reply(to.address, to.uid, KIND_REPLY, to.correlation, payload, out?.transfer);
  }

  #replyFailure(to: ReplyTo, error: unknown): void {
    this.#outbox.reply(to.address, to.uid, KIND_FAILURE, to.correlation, this.#outbox.codec.encodeValue(error));
  }

  #terminate(reason: ExitReason): void {
    const { terminate } = this.#definition;
    if (terminate === undefined) {
      this.#end(reason);
      return;
    }
    this.#busy = true;
    this.#words[HANDLING] = this.#outbox.names.intern("terminate");
    this.#words[DISPATCHES]++;
    try {
      const result = terminate.call(this.#definition, this.context, reason);
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

  #end(reason: ExitReason): void {
    this.#ended = true;
    this.#host.exit(reason);
  }

  #turnIsDue(): boolean {
    const now = performance.now();
    if (now - this.#lastTurn < TURN_MS) return false;
    this.#lastTurn = now;
    this.#scheduled = true;
    setImmediate(this.#turn);
    return true;
  }

  /** Nothing to do: looks a little longer, then sleeps. False when the event loop is to turn until something wakes it. */
  #rest(): boolean {
    const inbox = this.#inbox;
    this.#words[TURNS]++;
    const suspended = this.#suspended && this.#draining === undefined;
    const withMailbox = !this.#busy && !suspended && !this.#frozen;
    const spins = this.#idle.spins;
    for (let spin = 0; spin < spins; spin++) {
      if (inbox.arrived(withMailbox)) {
        this.#idle.found();
        this.#heldSince = 0;
        return true;
      }
    }
    if (spins > 0) this.#idle.foundNothing();

    const now = performance.now();
    const due = Math.min(withMailbox ? this.#timers.nextDue : Infinity, this.#outbox.pending.nextDeadline);
    if (this.#heldSince === 0) this.#heldSince = now;
    const ownWork = process.getActiveResourcesInfo().length > this.#openAtStart;
    if (now - this.#heldSince < HOLD_MS && !ownWork) {
      inbox.sleep(withMailbox, Math.max(0, Math.min(HOLD_MS, due - now)));
      if (inbox.arrived(withMailbox)) this.#heldSince = 0;
      return true;
    }
    this.#lastTurn = now;
    this.#words[ACTIVE] = ownWork ? 1 : 0;
    if (!inbox.sleepAsync(withMailbox, this.#wake)) return true;
    if (due !== Infinity) this.#wakeBy(due, now);
    return false;
  }

  readonly #wake = (): void => {
    this.#heldSince = 0;
    this.#schedule();
  };

  #wakeBy(due: number, now: number): void {
    if (this.#wakeTimer !== undefined && this.#wakeAt <= due) return;
    clearTimeout(this.#wakeTimer);
    this.#wakeAt = due;
    this.#wakeTimer = setTimeout(
      () => {
        this.#wakeTimer = undefined;
        this.#schedule();
      },
      Math.max(0, due - now),
    );
  }

  #createContext(init: InitData, args: unknown): ActorContext<any> {
    const loop = this;
    const outbox = this.#outbox;
    return {
      state: undefined,
      self: new ActorRef(outbox, init.address, init.uid, init.id),
      id: init.id,
      name: init.name,
      incarnation: init.incarnation,
      args,
      log: this.#host.log,
      get signal() {
        return loop.#currentSignal();
      },
      whereis(name) {
        return outbox.whereis(name);
      },
      monitor(ref) {
        const monitor = ++loop.#lastMonitor;
        outbox.post({ type: "monitor", monitor, uid: ref.uid, id: ref.id });
        return monitor;
      },
      demonitor(monitor) {
        loop.#demonitor(monitor);
      },
      link(ref) {
        outbox.post({ type: "link", uid: ref.uid, id: ref.id });
      },
      unlink(ref) {
        outbox.post({ type: "unlink", id: ref.id });
      },
      trapExit(trap) {
        outbox.post({ type: "trap_exit", trap });
      },
      exit(ref, reason) {
        outbox.post({ type: "exit", uid: ref.uid, id: ref.id, reason });
      },
      sendAfter(delayMs, method, ...rest) {
        return loop.#addTimer(delayMs, 0, method, rest);
      },
      sendInterval(periodMs, method, ...rest) {
        if (!(periodMs > 0)) throw new RangeError(`sendInterval: periodMs=${periodMs}, must be over 0`);
        return loop.#addTimer(periodMs, periodMs, method, rest);
      },
      cancelTimer(id) {
        return loop.#timers.cancel(id);
      },
      deferReply() {
        return loop.#deferReply();
      },
      stop(reason = NORMAL) {
        loop.#stopping ??= reason;
        loop.#stopRequested = true;
        loop.#signal?.abort();
        loop.#schedule();
      },
      continueWith(method, ...rest) {
        loop.#requireHandler(method);
        loop.#continuations.push({ method, args: rest });
        loop.#schedule();
      },
    };
  }

  #demonitor(monitor: number): void {
    // Its DOWN may be on the way. Main forgets the monitor soon, so only the latest need remembering.
    const [oldest] = this.#demonitored;
    if (this.#demonitored.size >= MAX_DEMONITORED) this.#demonitored.delete(oldest);
    this.#demonitored.add(monitor);
    this.#outbox.post({ type: "demonitor", monitor });
  }

  #addTimer(delayMs: number, everyMs: number, method: string, args: unknown[]): number {
    this.#requireHandler(method);
    if (!(delayMs >= 0)) throw new RangeError(`delayMs=${delayMs}, must be 0 or more`);
    const id = this.#timers.add(performance.now(), delayMs, everyMs, method, args);
    // It may be set from outside a message, while the loop sleeps.
    this.#schedule();
    return id;
  }

  #requireHandler(method: string): void {
    if (!Object.hasOwn(this.#definition.handlers, method)) {
      throw new ActorError("ERR_UNKNOWN_METHOD", `id=${this.context.id} method=${method}: no such handler`, {
        id: this.context.id,
        method,
      });
    }
  }

  #deferReply(): DeferredReply {
    const to = this.#replyTo;
    if (to === undefined) throw new TypeError("deferReply: the message being handled is not a call");
    this.#deferred = true;
    let used = false;
    const once = (send: () => void): void => {
      if (used) return;
      used = true;
      send();
    };
    return {
      reply: (value) => once(() => this.#reply(to, value)),
      fail: (error) => once(() => this.#replyFailure(to, error)),
    };
  }
}

function callKey(callerUid: number, correlation: number): string {
  return `${callerUid}:${correlation}`;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
