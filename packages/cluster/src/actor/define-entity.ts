import type { ActorLog, ActorRef } from "@mini-otp/worker-host";
import {
  aFunction,
  Complaint,
  duration,
  type Fields,
  oneOf,
  required,
  takeOptions,
} from "@mini-otp/worker-host/protocol/options";
import type { Fence } from "./is-held.js";

const ENTITY = Symbol.for("mini-otp.entity");

/** The runtime as an entity's code sees it: the same object for every message of one life. */
export interface EntityContext<State = any> {
  /** The id that `ref(id)` was asked for. */
  readonly id: string;
  /** What `init` returned; the entity may replace it. */
  state: State;
  /** A reference to this entity, to send to others. */
  readonly self: ActorRef;
  /** Of the shard's owner: what a store compares. */
  readonly fence: Fence;
  readonly log: ActorLog;
  /** Aborts when the caller of the current call gives it up. */
  readonly signal: AbortSignal;
  /**
   * Writes the state down, for `store: "kv"`: the next life's `init` gets it as `snapshot`. Rejects with ERR_LEASE_LOST where
   * another node owns the shard by now, and changes nothing; with ERR_MESSAGE_TOO_LARGE for over 512 KiB; with
   * ERR_CLUSTER_ENGINE when the bucket does not answer, and then it may have been written or not; with ERR_INVALID_OPTION for an
   * entity without a store; with ERR_NOT_CLONEABLE for what `v8.serialize` does not write. References to actors are not kept.
   */
  save(): Promise<void>;
  /** Ends this life after the current message. The next message begins another. */
  passivate(): void;
}

/** What `init` gets. */
export interface EntityStart<State = any> {
  readonly id: string;
  /** What `save` wrote last; undefined where it has written nothing. */
  readonly snapshot: State | undefined;
}

/** What `defineEntity` takes. */
export interface EntityOptions<State, Handlers> {
  /** Begins a life, before its first message; returns the state. May be async. When it throws, that message fails with it. */
  init: (start: EntityStart) => State | Promise<State>;
  /**
   * Handle one message at a time, of all entities of the shard; an async handler holds the next message back. One that throws
   * ends the entity's life: a call fails with it, a cast is logged. A ReplyError only fails the call.
   */
  handlers: Handlers & Record<string, (ctx: EntityContext<State>, ...args: any[]) => unknown>;
  /** Gets what is sent by `ref.send`. The default logs and drops it. */
  info?: ((ctx: EntityContext<State>, message: any) => unknown) | undefined;
  /** A life without a message for so long ends. What was not saved is lost. Default 120 000; `Infinity` for never. */
  passivateAfterMs?: number | undefined;
  /** Where `save` writes: `"kv"` is a bucket of the cluster's; `"none"`: nowhere, and the state ends with its life. Default `"none"`. */
  store?: "kv" | "none" | undefined;
}

/** An entity's definition: a module's default export. Its type carries the protocol to `cluster.shards<typeof X>`. */
export interface EntityDefinition<State = any, Handlers = any> {
  readonly init: (start: EntityStart) => State | Promise<State>;
  readonly handlers: Handlers;
  readonly info?: ((ctx: EntityContext<State>, message: any) => unknown) | undefined;
  readonly passivateAfterMs: number;
  readonly store: "kv" | "none";
  /** @internal */
  readonly [ENTITY]: true;
}

const PASSIVATE_AFTER_MS = 120_000;
const handlers = "an object of functions";
const FIELDS: Fields = {
  init: required(aFunction),
  handlers: {
    allowed: handlers,
    required: true,
    take(value) {
      if (typeof value !== "object" || value === null) return new Complaint("", value, handlers);
      for (const [name, handler] of Object.entries(value)) {
        if (typeof handler !== "function") return new Complaint(name, handler, aFunction.allowed);
      }
      return value;
    },
  },
  info: aFunction,
  passivateAfterMs: duration("milliseconds, 10 or more, or Infinity", 10),
  store: oneOf("kv", "none"),
};

/**
 * Defines an entity: one of many that live in the shards of `cluster.shards`. Types are inferred: `ctx.state` is what `init`
 * returns. Throws ERR_INVALID_OPTION.
 */
export function defineEntity<
  State,
  Handlers extends Record<string, (ctx: EntityContext<State>, ...args: any[]) => unknown>,
>(options: EntityOptions<State, Handlers>): EntityDefinition<State, Handlers> {
  const taken = takeOptions("defineEntity", options, FIELDS);
  const { init, handlers, info, passivateAfterMs = PASSIVATE_AFTER_MS, store = "none" } = taken;
  const definition = { init, handlers, passivateAfterMs, store, [ENTITY]: true as const };
  return Object.freeze(info === undefined ? definition : { ...definition, info }) as EntityDefinition<State, Handlers>;
}

/** @internal */
export function isEntityDefinition(value: unknown): value is EntityDefinition {
  return typeof value === "object" && value !== null && (value as Partial<EntityDefinition>)[ENTITY] === true;
}
