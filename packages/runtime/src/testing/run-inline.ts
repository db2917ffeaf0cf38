import { type ActorDefinition, isActorDefinition } from "@mini-otp/worker-host";
import { type ExitReason, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import {
  aName,
  anId,
  BOUNDS,
  type Fields,
  field,
  integer,
  oneOf,
  periodMs as periodMsField,
  takeArgument,
  takeOptions,
} from "@mini-otp/worker-host/protocol/options";
import { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { aLogger, type Logger, systemLogger } from "../reporting/logger.js";
import type { RestartType } from "../supervision/child.js";
import type { ActorArgs } from "../supervision/child-spec.js";
import { aClock, type Clock, systemClock } from "../supervision/clock.js";
import { InlineActor } from "./inline-actor.js";
import { INLINE_ADDRESS, InlineSender } from "./inline-world.js";

const aDefinition = field("what defineActor returns", isActorDefinition);

const FIELDS: Fields = {
  id: anId,
  name: aName,
  restart: oneOf("permanent", "transient", "temporary"),
  intensity: integer(BOUNDS.restarts),
  periodMs: periodMsField,
  clock: aClock,
  logger: aLogger,
};

/** What `runInline` takes beside the actor and its `args`. */
export interface InlineOptions {
  /** Default `"inline"`. */
  id?: string;
  /** For `ctx.whereis` of other inline actors. */
  name?: string;
  /** Whether it is started again when it ends: default `"permanent"`, at once, as under a supervisor. */
  restart?: RestartType;
  /** Default 3 restarts in 5 000 ms; then it stays down. */
  intensity?: number;
  periodMs?: number;
  /** For its timers, the timeouts of calls and the restart window: `virtualClock()`. Default: the machine's own. */
  clock?: Clock;
  /** Default: silent. */
  logger?: Logger | false;
}

/** A reference to an actor on this thread, and what a test wants to know of it. */
export class InlineRef<A = any> extends ActorRef<A> {
  readonly #actor: InlineActor;

  /** @internal */
  constructor(actor: InlineActor) {
    super(new InlineSender(), INLINE_ADDRESS, actor.uid, actor.id);
    this.#actor = actor;
  }

  /** The actor's own state, not a copy. */
  get state(): any {
    return this.#actor.context.state;
  }

  get incarnation(): number {
    return this.#actor.incarnation;
  }

  get running(): boolean {
    return this.#actor.running;
  }

  /** Resolves with the reason once the actor has ended and is not started again. */
  get exited(): Promise<ExitReason> {
    return this.#actor.exited;
  }

  /** Handles what was accepted, runs `terminate`, ends. Resolves with the exit reason. */
  stop(reason: ExitReason = SHUTDOWN): Promise<ExitReason> {
    return this.#actor.stop(reason);
  }

  /** An exit signal, as `system.exit`. */
  exit(reason: ExitReason | "kill"): void {
    this.#actor.exit(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/**
 * Runs an actor on the calling thread, without a worker, a guard or a supervisor above it: for tests of what its handlers
 * do, with a debugger and coverage at hand. Messages, replies and `args` are copied as between threads, one message is
 * handled at a time, a crash starts it anew. `callSync` and `castSync` throw ERR_WRONG_THREAD, and a mailbox has no bound.
 *
 * Rejects with ERR_INVALID_OPTION, ERR_INIT_FAILED when `init` throws. Resolves also when `init` answers `ignore()`: then it does not run.
 */
export async function runInline<A extends ActorDefinition<any, any, any>>(
  actor: A,
  ...[args, options = {}]: undefined extends ActorArgs<A>
    ? [args?: ActorArgs<A>, options?: InlineOptions]
    : [args: ActorArgs<A>, options?: InlineOptions]
): Promise<InlineRef<A>> {
  takeArgument("runInline", "actor", actor, aDefinition);
  const taken = takeOptions("runInline", options, FIELDS);
  const { id = "inline", name, restart = "permanent", intensity = 3, periodMs = 5000 } = taken;
  const { clock = systemClock, logger = false } = taken;
  const log = systemLogger(logger, id, () => {});
  const inline = new InlineActor(actor, args, { id, name, restart, intensity, periodMs, clock, log });
  await inline.start();
  return new InlineRef<A>(inline);
}
