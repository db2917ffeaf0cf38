import type { ActorContext, ActorLog } from "../actor/context.js";
import { ActorError } from "../protocol/errors/errors.js";
import { checkExitReason, NORMAL } from "../protocol/errors/exit-reason.js";
import { aNumber, checkDelay, checkPeriod, flag, takeArgument, text } from "../protocol/options/fields.js";
import type { InitData } from "../protocol/port/boot.js";
import type { Target } from "../protocol/port/messages.js";
import { ActorRef } from "../protocol/refs/actor-ref.js";
import { checkedReference } from "../protocol/refs/checked-reference.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import { processOf } from "../protocol/refs/router-ref.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import type { ActorOutbox } from "./actor-outbox.js";
import type { CurrentCall } from "./current-call.js";
import { requireHandler } from "./handler-table.js";
import type { LoopState } from "./loop-state.js";
import type { OwnMessages } from "./own-messages.js";
import { portableSpec } from "./portable-spec.js";

/** What a context acts upon. */
export interface ContextParts {
  readonly init: InitData;
  readonly args: unknown;
  readonly log: ActorLog;
  readonly handlers: object;
  readonly outbox: ActorOutbox;
  readonly own: OwnMessages;
  readonly call: CurrentCall;
  readonly loopState: LoopState;
  /** Wakes the loop: the context may be used outside of a message, while the loop sleeps. */
  schedule(): void;
}

const CALL: unique symbol = Symbol("call");
/**
 * Defined afterwards, and with one getter for all contexts: V8 keeps a literal with a getter as a dictionary, in which
 * a handler's `ctx.state` is a look-up by hash.
 */
const SIGNAL = {
  get(this: { readonly [CALL]: CurrentCall }): AbortSignal {
    return this[CALL].signal;
  },
  enumerable: true,
  configurable: true,
};

/** Creates the context that an actor's code gets. */
export function createContext(parts: ContextParts): ActorContext<any> {
  const { init, args, log, outbox, own, call, loopState } = parts;
  const context: Omit<ActorContext<any>, "signal"> = {
    state: undefined,
    self: new ActorRef(outbox, init.address, init.uid, init.id),
    id: init.id,
    name: init.name,
    incarnation: init.incarnation,
    args,
    log,
    whereis(name): any {
      return outbox.whereis(takeArgument("ctx.whereis", "name", name, text));
    },
    startChild(spec: unknown): any {
      return outbox.startChild(portableSpec(spec));
    },
    monitor(ref) {
      const target = lifeOf("ctx.monitor", ref, outbox);
      const monitor = own.newMonitor();
      outbox.post({ type: "monitor", monitor, target });
      return monitor;
    },
    demonitor(monitor) {
      takeArgument("ctx.demonitor", "monitor", monitor, aNumber);
      own.demonitor(monitor);
      outbox.post({ type: "demonitor", monitor });
    },
    link(ref) {
      outbox.post({ type: "link", target: lifeOf("ctx.link", ref, outbox) });
    },
    unlink(ref) {
      outbox.post({ type: "unlink", target: lifeOf("ctx.unlink", ref, outbox) });
    },
    trapExit(trap) {
      takeArgument("ctx.trapExit", "trap", trap, flag);
      outbox.post({ type: "trap_exit", trap });
    },
    exit(ref, reason) {
      const target = targetOf("ctx.exit", ref);
      const checked = checkExitReason("ctx.exit", reason, "kill");
      outbox.post({
        type: "exit",
        target,
        reason: checked === "kill" ? checked : encodeForeign(outbox.codec, checked),
      });
    },
    sendAfter(delayMs, method, ...rest) {
      checkDelay("sendAfter", delayMs);
      return addTimer(parts, delayMs, 0, method, rest);
    },
    sendInterval(periodMs, method, ...rest) {
      checkPeriod("sendInterval", periodMs);
      return addTimer(parts, periodMs, periodMs, method, rest);
    },
    cancelTimer(id) {
      return own.cancelTimer(id);
    },
    deferReply() {
      return call.defer();
    },
    stop(reason = NORMAL) {
      const checked = checkExitReason("ctx.stop", reason);
      loopState.stopping ??= checked;
      call.stop();
      parts.schedule();
    },
    handed: undefined,
    spawn: () => refuse(init.id, "ctx.spawn", "start children by their supervisor"),
    own: () => refuse(init.id, "ctx.own", "what an actor's thread has ends with it"),
    on: () => refuse(init.id, "ctx.on", "listen, and send to ctx.self"),
    async lookup(name): Promise<any> {
      return outbox.whereis(takeArgument("ctx.lookup", "name", name, text));
    },
    continueWith(method, ...rest) {
      requireHandler(init.id, parts.handlers, method);
      own.continueWith(method, rest, outbox.telemetry?.carrier);
      parts.schedule();
    },
  };
  return Object.defineProperties(context, { [CALL]: { value: call }, signal: SIGNAL }) as ActorContext<any>;
}

/** For what only an actor of a partition can do. */
function refuse(id: string, what: string, instead: string): never {
  const message = `id=${id}: ${what} is for actors that share a thread, see dynamicSupervisor({ threads }); ${instead}`;
  throw new ActorError("ERR_WRONG_THREAD", message, { id });
}

export function targetOf(what: string, ref: ActorRef | PoolRef): Target {
  const target = processOf(checkedReference(ref, what));
  return { uid: target.uid, id: target.id, address: target instanceof ActorRef ? target.address : undefined };
}

/** The same, and of a light actor the life that it has now: it may have another when main hears of this. */
export function lifeOf(what: string, ref: ActorRef | PoolRef, outbox: Pick<ActorOutbox, "lifeAt">): Target {
  const target = targetOf(what, ref);
  return target.address === undefined ? target : { ...target, life: outbox.lifeAt(target.address) };
}

function addTimer(parts: ContextParts, delayMs: number, everyMs: number, method: string, args: unknown[]): number {
  requireHandler(parts.init.id, parts.handlers, method);
  const id = parts.own.addTimer(delayMs, everyMs, method, args, parts.outbox.telemetry?.carrier);
  parts.schedule();
  return id;
}
