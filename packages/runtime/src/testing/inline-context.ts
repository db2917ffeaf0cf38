import type { ActorContext } from "@mini-otp/worker-host";
import {
  type CurrentCall,
  type LoopState,
  type OwnMessages,
  portableSpec,
  requireHandler,
} from "@mini-otp/worker-host/loop";
import { ActorError, checkExitReason, type ExitReason, NORMAL } from "@mini-otp/worker-host/protocol/errors";
import { aNumber, checkDelay, checkPeriod, flag, takeArgument, text } from "@mini-otp/worker-host/protocol/options";
import { ActorRef, checkedReference, type PoolRef, type Sender } from "@mini-otp/worker-host/protocol/refs";
import type { Logger } from "../reporting/logger.js";
import type { InlineBonds } from "./inline-bonds.js";
import { type InlineLight, type LightLife, lighten } from "./inline-light.js";
import { inlineLog } from "./inline-log.js";
import { INLINE_ADDRESS, inlineByName } from "./inline-world.js";
import { latestTestSystem } from "./test-system.js";

/** What a context acts upon. */
export interface InlineContextParts {
  readonly id: string;
  readonly name: string | undefined;
  readonly incarnation: number;
  readonly args: unknown;
  readonly handlers: object;
  readonly ref: ActorRef;
  readonly sender: Sender;
  readonly log: Logger;
  readonly bonds: InlineBonds;
  readonly own: OwnMessages;
  readonly call: CurrentCall;
  readonly loopState: LoopState;
  /** Of a light actor. */
  readonly light: InlineLight | undefined;
  readonly life: LightLife | undefined;
  startChild(spec: unknown): Promise<ActorRef>;
  /** Sends an exit signal to another actor on this thread. False: `ref` is not one. */
  exitInline(ref: ActorRef | PoolRef, reason: ExitReason | "kill"): boolean;
  /** Wakes the loop: there is something to do. */
  schedule(): void;
}

/** Creates the context that the actor's code gets. */
export function createInlineContext(parts: InlineContextParts): ActorContext<any> {
  const { id, handlers, bonds, own, call, loopState, sender } = parts;
  const addTimer = (delayMs: number, everyMs: number, method: string, args: unknown[]): number => {
    requireHandler(id, handlers, method);
    const timer = own.addTimer(delayMs, everyMs, method, args);
    parts.schedule();
    return timer;
  };
  const find = (what: string, name: string): any => {
    takeArgument(what, "name", name, text);
    const target = inlineByName(name);
    if (target === undefined) return latestTestSystem()?.whereis(name);
    return new ActorRef(sender, INLINE_ADDRESS, target.uid, target.id);
  };
  const context: ActorContext<any> = {
    state: undefined,
    self: parts.ref,
    id,
    name: parts.name,
    incarnation: parts.incarnation,
    args: parts.args,
    log: inlineLog(parts.log),
    get signal() {
      return call.signal;
    },
    whereis: (name) => find("ctx.whereis", name),
    startChild: (spec: unknown): any => parts.startChild(portableSpec(spec)),
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
      if (!parts.exitInline(ref, checked)) latestTestSystem()?.exit(ref, checked);
    },
    sendAfter(delayMs, method, ...rest) {
      checkDelay("sendAfter", delayMs);
      return addTimer(delayMs, 0, method, rest);
    },
    sendInterval(periodMs, method, ...rest) {
      checkPeriod("sendInterval", periodMs);
      return addTimer(periodMs, periodMs, method, rest);
    },
    cancelTimer: (timer) => own.cancelTimer(timer),
    deferReply: () => call.defer(),
    stop(reason = NORMAL) {
      const checked = checkExitReason("ctx.stop", reason);
      loopState.stopping ??= checked;
      call.stop();
      parts.schedule();
    },
    handed: undefined,
    spawn: () => notShared(id, "ctx.spawn"),
    own: () => notShared(id, "ctx.own"),
    on: () => notShared(id, "ctx.on"),
    lookup: async (name) => find("ctx.lookup", name),
    continueWith(method, ...rest) {
      requireHandler(id, handlers, method);
      own.continueWith(method, rest);
      parts.schedule();
    },
  };
  const { life, light } = parts;
  if (life !== undefined && light !== undefined) lighten(context, life, light);
  return context;
}

/** For what only an actor that shares its thread can do. */
function notShared(id: string, what: string): never {
  const message = `id=${id}: ${what} is for actors that share a thread; runInline takes light: true for one`;
  throw new ActorError("ERR_WRONG_THREAD", message, { id });
}
