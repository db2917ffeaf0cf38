import { type ActorDefinition, isActorDefinition } from "@mini-otp/worker-host";
import { handedOnce } from "@mini-otp/worker-host/loop";
import { type ExitReason, invalidOption, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import { DEFAULT_CALL_TIMEOUT_MS } from "@mini-otp/worker-host/protocol/memory";
import {
  aName,
  anId,
  anything,
  aThrows,
  BOUNDS,
  type Fields,
  field,
  flag,
  integer,
  oneOf,
  or,
  periodMs as periodMsField,
  takeArgument,
  takeOptions,
  timerMs,
} from "@mini-otp/worker-host/protocol/options";
import { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { aLogger, type Logger, systemLogger } from "../reporting/logger.js";
import type { RestartType } from "../supervision/child.js";
import type { ActorArgs } from "../supervision/child-spec.js";
import { aClock, type Clock, systemClock } from "../supervision/clock.js";
import { type FullInlineOptions, InlineActor } from "./inline-actor.js";
import { InlineSiblings } from "./inline-siblings.js";
import { INLINE_ADDRESS, InlineSender } from "./inline-world.js";

const aDefinition = field("what defineActor returns", isActorDefinition);

const FIELDS: Fields = {
  id: anId,
  name: aName,
  restart: oneOf("permanent", "transient", "temporary"),
  intensity: integer(BOUNDS.restarts),
  periodMs: periodMsField,
  callTimeoutMs: or(timerMs, Infinity),
  throws: aThrows,
  light: flag,
  hand: anything,
  template: aDefinition,
  clock: aClock,
  logger: aLogger,
};

/** What `runInline` takes beside the actor and its `args`. */
export interface InlineOptions {
  /** Default `"inline"`. */
  id?: string | undefined;
  /** For `ctx.whereis` and `ctx.lookup` of other inline actors. A light actor has none. */
  name?: string | undefined;
  /** Whether the actor is restarted when it ends, which happens at once. Default `"permanent"`; with `light` `"temporary"`. */
  restart?: RestartType | undefined;
  /** At most this many restarts in `periodMs`, then the actor stays down. Default 3 in 5 000 ms. */
  intensity?: number | undefined;
  periodMs?: number | undefined;
  /** How long a call of it may take, when the caller does not say: ms from 0 on, or `Infinity`. Default 5 000. */
  callTimeoutMs?: number | undefined;
  /** What a handler does that throws. Default: what `defineActor` was told, else `"crash"`. */
  throws?: "crash" | "reply" | undefined;
  /**
   * Runs it as a light actor, as `dynamicSupervisor({ threads })` does: it has `ctx.spawn`, `ctx.own` and `ctx.on`, and is
   * refused what light actors cannot do: streams, `ctx.startChild`, `ctx.whereis`. Default false.
   */
  light?: boolean | undefined;
  /** Of a light actor: its `ctx.handed`, not copied. With `restart: "temporary"` only. */
  hand?: unknown;
  /** Of a light actor: what `ctx.spawn` starts, `temporary` and by itself. Default: the actor itself, with its `restart`. */
  template?: ActorDefinition<any, any, any> | undefined;
  /**
   * The clock of its timers, of call timeouts and of the restart window, for example `virtualClock()`. Default: the
   * machine's clock.
   */
  clock?: Clock | undefined;
  /** Default: silent. */
  logger?: Logger | false | undefined;
}

/** A reference to an actor on this thread, which also shows a test the actor's state. */
export class InlineRef<A = any> extends ActorRef<A> {
  readonly #actor: InlineActor;
  readonly #siblings: InlineSiblings<InlineActor> | undefined;

  /** @internal `siblings` end when this reference is disposed of. */
  constructor(actor: InlineActor, siblings?: InlineSiblings<InlineActor>) {
    super(new InlineSender(), INLINE_ADDRESS, actor.uid, actor.id);
    this.#actor = actor;
    this.#siblings = siblings;
  }

  /** The state itself, not a copy. */
  get state(): any {
    return this.#actor.context.state;
  }

  get incarnation(): number {
    return this.#actor.incarnation;
  }

  get running(): boolean {
    return this.#actor.running;
  }

  /** The light actors that share its thread and have not ended, in the order of their start: those that `ctx.spawn` has started. */
  get siblings(): readonly InlineRef[] {
    return this.#actor.siblings.map((sibling) => new InlineRef(sibling));
  }

  /** Resolves with the exit reason once the actor has ended and is not restarted. */
  get exited(): Promise<ExitReason> {
    return this.#actor.exited;
  }

  /** The actor handles the accepted messages, runs `terminate` and ends. Resolves with the exit reason. */
  stop(reason: ExitReason = SHUTDOWN): Promise<ExitReason> {
    return this.#actor.stop(reason);
  }

  /** Sends an exit signal, as `system.exit` does. */
  exit(reason: ExitReason | "kill"): void {
    this.#actor.exit(reason);
  }

  /** As `stop()`; what `runInline` returns ends the light actors that have been spawned, too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#siblings?.end();
  }
}

/**
 * Runs an actor on the calling thread, without a worker, a guard or a supervisor above it: for tests of its handlers,
 * with debugger and coverage. As in a thread, messages, replies and `args` are copied, work has the same order, one
 * message is handled at a time, and the actor is restarted after a crash. `callSync` and `castSync` throw
 * ERR_WRONG_THREAD, and the mailbox has no bound.
 *
 * Rejects with ERR_INVALID_OPTION, and with ERR_INIT_FAILED when `init` throws. When `init` returns `ignore()` it
 * resolves, and the actor does not run.
 */
export async function runInline<A extends ActorDefinition<any, any, any>>(
  actor: A,
  ...[args, options = {}]: undefined extends ActorArgs<A>
    ? [args?: ActorArgs<A>, options?: InlineOptions]
    : [args: ActorArgs<A>, options?: InlineOptions]
): Promise<InlineRef<A>> {
  takeArgument("runInline", "actor", actor, aDefinition);
  const taken = takeOptions("runInline", options, FIELDS);
  const { light = false, hand, template } = taken;
  const { id = "inline", name, restart = light ? "temporary" : "permanent", intensity = 3, periodMs = 5000 } = taken;
  const { clock = systemClock, logger = false, callTimeoutMs = DEFAULT_CALL_TIMEOUT_MS } = taken;
  const { throws = actor.throws ?? "crash" } = taken;
  const log = systemLogger(logger, id, () => {});
  const full = { id, name, restart, intensity, periodMs, clock, log, callTimeoutMs, throws };
  refuseOthers(light, taken);
  if (hand !== undefined && restart !== "temporary") throw handedOnce("runInline", hand);
  const siblings = light ? siblingsOf(actor, full, template) : undefined;
  const inline = new InlineActor(actor, args, { ...full, light: siblings && { siblings, handed: hand } });
  siblings?.add(inline);
  try {
    await inline.start();
  } catch (error) {
    for (const sibling of inline.siblings) sibling.exit("kill");
    throw error;
  }
  return new InlineRef<A>(inline, siblings);
}

/** Options that are not for an actor of this kind. Throws ERR_INVALID_OPTION. */
function refuseOthers(light: boolean, given: InlineOptions): void {
  const others = light ? (["name"] as const) : (["hand", "template"] as const);
  for (const option of others) {
    const value = given[option];
    if (value === undefined) continue;
    const allowed = light ? "left out with light: true" : "left out without light: true";
    const facts = { function: "runInline", field: option, value, allowed };
    throw invalidOption(`runInline: ${option} must be ${allowed}`, facts);
  }
}

/** What `ctx.spawn` starts. */
function siblingsOf(
  actor: ActorDefinition<any, any, any>,
  options: FullInlineOptions,
  template: ActorDefinition<any, any, any> | undefined,
): InlineSiblings<InlineActor> {
  const throws = template === undefined ? options.throws : (template.throws ?? "crash");
  const restart = template === undefined ? options.restart : "temporary";
  const siblings: InlineSiblings<InlineActor> = new InlineSiblings(
    restart,
    (args, spec, handed) =>
      new InlineActor(template ?? actor, args, { ...options, ...spec, throws, light: { siblings, handed } }),
  );
  return siblings;
}
