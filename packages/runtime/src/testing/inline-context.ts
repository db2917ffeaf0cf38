import type { ActorContext } from "@mini-otp/worker-host";
import {
  ActorError,
  checkExitReason,
  type ExitReason,
  NORMAL,
  shownMethod,
} from "@mini-otp/worker-host/protocol/errors";
import { aNumber, flag, takeArgument, text } from "@mini-otp/worker-host/protocol/options";
import { ActorRef, checkedReference, type PoolRef, type Sender } from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";
import type { InlineBonds } from "./inline-bonds.js";
import type { InlineCall } from "./inline-call.js";
import { inlineLog } from "./inline-log.js";
import type { InlineTimers } from "./inline-timers.js";
import { INLINE_ADDRESS, inlineByName } from "./inline-world.js";
import { latestTestSystem } from "./test-system.js";

/** The actor that a context is of. */
export interface ContextActor {
  readonly id: string;
  readonly name: string | undefined;
  readonly incarnation: number;
  readonly args: unknown;
  readonly ref: ActorRef;
  readonly sender: Sender;
  readonly log: Logger;
  readonly bonds: InlineBonds;
  readonly timers: InlineTimers;
  /** That is being handled. */
  readonly call: InlineCall | undefined;
  readonly signal: AbortSignal;
  hasHandler(method: string): boolean;
  reply(call: InlineCall, value: unknown): void;
  /** Ends another actor of this thread's. False: it is none. */
  exitInline(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): boolean;
  stopAfterThis(reason: ExitReason): void;
  continueWith(method: string, args: unknown[]): void;
}

/** The object that the actor's code is given. */
export function createInlineContext(actor: ContextActor): ActorContext<any> {
  const { bonds, timers, sender } = actor;
  const requireHandler = (method: string): void => {
    if (actor.hasHandler(method)) return;
    const { id } = actor;
    throw new ActorError("ERR_UNKNOWN_METHOD", `id=${id} method=${shownMethod(method)}: no such handler`, {
      id,
      method,
    });
  };
  return {
    state: undefined,
    self: actor.ref,
    id: actor.id,
    name: actor.name,
    incarnation: actor.incarnation,
    args: actor.args,
    log: inlineLog(actor.log),
    get signal() {
      return actor.signal;
    },
    whereis(name) {
      takeArgument("ctx.whereis", "name", name, text);
      const target = inlineByName(name);
      if (target === undefined) return latestTestSystem()?.whereis(name);
      return new ActorRef(sender, INLINE_ADDRESS, target.uid, target.id);
    },
    monitor: (ref) => bonds.monitor(ref),
    demonitor: (monitor) => bonds.demonitor(takeArgument("ctx.demonitor", "monitor", monitor, aNumber)),
    link: (ref) => bonds.link(ref),
    unlink: (ref) => bonds.unlink(ref),
    trapExit(trap) {
      bonds.trapsExits = takeArgument("ctx.trapExit", "trap", trap, flag);
    },
    exit(ref, reason) {
      checkedReference(ref, "ctx.exit");
      const checked = checkExitReason("ctx.exit", reason, "kill");
      if (!actor.exitInline(ref, checked)) latestTestSystem()?.exit(ref, checked);
    },
    sendAfter(delayMs, method, ...rest) {
      requireHandler(method);
      return timers.after(delayMs, method, rest);
    },
    sendInterval(periodMs, method, ...rest) {
      requireHandler(method);
      return timers.every(periodMs, method, rest);
    },
    cancelTimer: (id) => timers.cancel(id),
    deferReply() {
      const { call } = actor;
      if (call === undefined) throw new TypeError("deferReply: the message being handled is not a call");
      call.deferred = true;
      return {
        reply: (value?: unknown) => actor.reply(call, value),
        fail: (error: Error) => call.fail(error),
      };
    },
    stop: (reason = NORMAL) => actor.stopAfterThis(checkExitReason("ctx.stop", reason)),
    continueWith(method, ...rest) {
      requireHandler(method);
      actor.continueWith(method, rest);
    },
  };
}
