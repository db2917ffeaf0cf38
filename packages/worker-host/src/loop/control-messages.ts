import type { ActorContext } from "../actor/context.js";
import { type CallerNotices, takeRecord } from "../protocol/calls/replies.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import type { ToActor } from "../protocol/port/messages.js";
import type { MemberLife } from "../protocol/port/partition.js";
import { decodeReason, type Encoded, encoded, encodeForeign, payloadOf } from "../protocol/values/encoded.js";
import type { ActorOutbox } from "./actor-outbox.js";
import type { CurrentCall } from "./current-call.js";
import type { ControlChannel } from "./inbox.js";
import type { LoopHost } from "./loop-host.js";
import type { LoopState } from "./loop-state.js";
import type { MemberRequest, MemberTrace } from "./members.js";
import type { MessageHandler } from "./message-handler.js";
import type { OwnMessages } from "./own-messages.js";
import type { Snapshot } from "./snapshot.js";
import type { Streams } from "./streams.js";
import { Tracer } from "./tracer.js";

/** During a hand-over these are returned to main, which forwards them to the successor thread. */
const FOR_THE_SUCCESSOR = new Set(["info", "suspend", "resume", "get_state", "replace_state", "stop"]);

/** Why the streams of an upgraded actor end. */
const UPGRADED: ExitReason = Object.freeze({ kind: "shutdown", detail: "upgraded" });

export interface ControlParts {
  readonly channel: ControlChannel;
  readonly outbox: ActorOutbox;
  readonly context: ActorContext<any>;
  readonly version: string | undefined;
  readonly loopState: LoopState;
  readonly own: OwnMessages;
  readonly call: CurrentCall;
  readonly handler: MessageHandler;
  readonly streams: Streams;
  readonly notices: CallerNotices;
  readonly host: LoopHost;
  schedule(): void;
}

/**
 * Carries out main's control messages, which come by the port: between two messages, or while a handler blocks the
 * thread.
 */
export class ControlMessages {
  readonly #parts: ControlParts;

  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** Handles all control messages that have arrived. */
  take(): void {
    const { channel, loopState, outbox } = this.#parts;
    channel.poll();
    for (let message = channel.next(); message !== undefined; message = channel.next()) {
      if (loopState.frozen && FOR_THE_SUCCESSOR.has(message.type)) outbox.post({ type: "returned", message });
      else this.#handle(message);
    }
  }

  /**
   * Between two messages: posts the snapshot for the next thread, and freezes. A state that cannot be carried stays
   * here. Streams end before: a generator cannot be carried, and its `finally` may change the state.
   */
  handOver(): void {
    const { loopState, streams, context, schedule } = this.#parts;
    loopState.handOver = false;
    if (streams.size === 0) {
      this.#giveState();
      return;
    }
    loopState.busy = true;
    const { id } = context;
    const message = `id=${id}: the actor was upgraded`;
    streams.endAll(
      () => {
        loopState.busy = false;
        if (loopState.stopping === undefined) this.#giveState();
        schedule();
      },
      new ActorError("ERR_CALL_EXIT", message, { id, reason: UPGRADED }),
    );
  }

  #giveState(): void {
    const { context, host, loopState, outbox, schedule } = this.#parts;
    if (host.state === undefined) return this.#postState(context.state);
    loopState.busy = true;
    host.state
      .getState()
      .then(
        (state) => this.#postState(state),
        (error) => outbox.post({ type: "hand_over_failed", error: encodeForeign(outbox.codec, error) }),
      )
      .then(() => {
        loopState.busy = false;
        schedule();
      });
  }

  #postState(state: unknown): void {
    const { outbox, version, loopState, own, call } = this.#parts;
    const snapshot: Snapshot = {
      state,
      version,
      suspended: loopState.suspended,
      ...own.save(),
      cancelled: call.cancelled,
    };
    try {
      const value = encoded(outbox.codec.encodeValue(snapshot, undefined, "ctx"));
      outbox.post({ type: "handed_over", snapshot: value });
      loopState.frozen = true;
    } catch (error) {
      outbox.post({ type: "hand_over_failed", error: encodeForeign(outbox.codec, error) });
    }
  }

  /** Continues where another thread stopped. */
  restore(snapshot: Snapshot): void {
    const { loopState, own, call } = this.#parts;
    loopState.suspended = snapshot.suspended;
    own.restore(snapshot);
    call.restore(snapshot.cancelled);
  }

  #handle(message: ToActor): void {
    const { outbox, context, loopState, own, call, handler, host, notices, streams } = this.#parts;
    const { codec, pending } = outbox;
    switch (message.type) {
      case "hand_over":
        loopState.handOver = true;
        break;
      case "go_on":
        loopState.handOver = loopState.frozen = false;
        break;
      case "leave":
        loopState.ended = true;
        outbox.cancelStreams();
        host.leave();
        break;
      case "callee_exited": {
        // Replies that the callee sent before its exit settle their calls first.
        outbox.takeReplies();
        const reason = decodeReason(codec, message.reason);
        pending.calleeExited(message.uid, reason, message.consumedBefore, message.closed, new Set(message.kept));
        break;
      }
      case "reply":
        takeRecord(codec, pending, notices, message, payloadOf(message.payload), message.transferred);
        break;
      case "parcel":
        handler.parcelArrived(message.parcel);
        break;
      case "task_settled":
        outbox.taskSettled(message);
        break;
      case "child_started":
        outbox.childStarted(message);
        break;
      case "found":
        outbox.found(message.ref);
        break;
      case "suspend":
      case "resume":
        if (this.#askMember(message)) break;
        loopState.suspended = message.type === "suspend";
        this.#answer(message.request, undefined);
        break;
      case "get_state":
        if (this.#askMember(message)) break;
        if (host.state === undefined) this.#answer(message.request, context.state);
        else this.#answerLater(message.request, host.state.getState());
        break;
      case "replace_state":
        if (this.#askMember(message)) break;
        this.#replaceState(message.request, message.state);
        break;
      case "heap_snapshot":
        host.heapSnapshot?.(message.request);
        break;
      case "cpu_profile":
        host.cpuProfile?.(message.request, message.ms);
        break;
      case "break_cycle":
        outbox.breakCycle(message.cycle);
        break;
      case "trace":
        if (this.#traceMember(message)) break;
        handler.tracer ??= new Tracer((traced) => outbox.post(traced));
        handler.tracer.watch(message);
        break;
      case "trace_credit":
        if (this.#traceMember(message)) break;
        handler.tracer?.grant(message.trace, message.credit);
        break;
      case "untrace":
        if (this.#traceMember(message)) break;
        handler.tracer?.unwatch(message.trace);
        if (handler.tracer?.idle) handler.tracer = undefined;
        break;
      case "info": {
        for (const told of codec.decodeArgs(payloadOf(message.message))) {
          const readerUid = readerGone(told);
          if (readerUid === undefined) own.signal([told]);
          else streams.readerGone(readerUid);
        }
        break;
      }
      case "stop":
        if (message.drain) loopState.draining ??= decodeReason(codec, message.reason);
        else loopState.stopping ??= decodeReason(codec, message.reason);
        call.stop();
        break;
      default:
        break;
    }
  }

  /** True when the request is to a light actor of this thread, and has been answered. */
  #askMember(message: Omit<MemberRequest, "member"> & { readonly member?: MemberLife }): boolean {
    const { members } = this.#parts.host;
    if (members === undefined || message.member === undefined) return false;
    try {
      this.#answer(message.request, members.asked(message as MemberRequest));
    } catch (error) {
      this.#answer(message.request, error, true);
    }
    return true;
  }

  /** True when it is for a light actor of this thread. */
  #traceMember(message: Omit<MemberTrace, "member"> & { readonly member?: MemberLife }): boolean {
    if (message.member === undefined) return false;
    this.#parts.host.members?.trace(message as MemberTrace);
    return true;
  }

  #answer(request: number, value: unknown, failed = false): void {
    const { codec } = this.#parts.outbox;
    try {
      this.#parts.outbox.post({
        type: "answer",
        request,
        failed,
        value: encoded(codec.encodeValue(value, undefined, "state")),
      });
    } catch (error) {
      this.#parts.outbox.post({ type: "answer", request, failed: true, value: encodeForeign(codec, error) });
    }
  }

  #answerLater(request: number, answer: Promise<unknown>): void {
    answer.then(
      (value) => this.#answer(request, value),
      (error: unknown) => this.#answer(request, error, true),
    );
  }

  #replaceState(request: number, state: Encoded): void {
    const { context, host, outbox } = this.#parts;
    try {
      const value = outbox.codec.decodeValue(payloadOf(state));
      if (host.state !== undefined) {
        this.#answerLater(request, host.state.replaceState(value));
        return;
      }
      context.state = value;
    } catch (error) {
      this.#answer(request, error, true);
      return;
    }
    this.#answer(request, undefined);
  }
}

/** The uid of the reader that a DOWN tells of; undefined for another message: an actor's own monitors count from 1. */
function readerGone(message: unknown): number | undefined {
  const { type, monitor } = (message ?? {}) as { type?: unknown; monitor?: unknown };
  return type === "DOWN" && typeof monitor === "number" && monitor < 0 ? -monitor : undefined;
}
