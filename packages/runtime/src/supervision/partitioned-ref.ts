import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { ActorArgs, ArgsOver, RequiredArgs } from "./actor-type.js";
import type { AnySupervisorRef } from "./administration.js";
import type { RestartType } from "./child.js";
import type { ActorOf, ActorSpec } from "./child-spec.js";
import type { Exact, IsUnion } from "./exact.js";

/** A light actor to start: what it leaves out is as in the template. */
export interface MemberStart<A = unknown> {
  /** Unique under its supervisor. Default: one that is free. */
  readonly id?: string | undefined;
  readonly args?: ActorArgs<A> | undefined;
  /** Starts it in the partition of this sibling. */
  readonly sameThreadAs?: ActorRef | undefined;
  readonly actor?: ActorSpec["actor"] | undefined;
  readonly handlerTimeoutMs?: number | undefined;
  readonly startTimeoutMs?: number | undefined;
  readonly throws?: "crash" | "reply" | undefined;
  readonly mailbox?: ActorSpec["mailbox"] | undefined;
  /** Default `"temporary"`. A `"transient"` one is started again unless it ends with `normal` or `shutdown`. */
  readonly restart?: RestartType | undefined;
}

/** One thread of a supervisor with `threads`, and what it holds. Read from shared memory. */
export interface PartitionInfo {
  /** The path of the partition's own actor, as `root/connections/0`. */
  readonly id: string;
  readonly ref: ActorRef;
  /** The name of the template's module, as metrics have it; empty when the template names none. */
  readonly type: string;
  /** Light actors that live in it. */
  readonly members: number;
  /** Messages that they have handled since the supervisor was made, those of light actors that have ended with them. */
  readonly handled: number;
  /** Messages that wait in them, and their bytes. */
  readonly queued: number;
  readonly queuedBytes: number;
  /** How many have ended since the supervisor was made, by the kind of their exit reason. */
  readonly ended: Readonly<Record<string, number>>;
}

/** A light actor as `members` lists it. */
export interface MemberInfo {
  readonly id: string;
  readonly ref: ActorRef;
  readonly queued: number;
}

/** Which members `members` lists. */
export interface MembersPage {
  /** The number of the partition. Default 0. */
  readonly partition?: number | undefined;
  /** Default `"id"`. */
  readonly sort?: "id" | "queue" | undefined;
  /** The id after which the page begins. By queue, a page after one that has ended begins anew. */
  readonly after?: string | undefined;
  /** At most so many, 1 to 1 000. Default 100. */
  readonly limit?: number | undefined;
}

/** What an upgrade has done in one partition. */
export interface UpgradedPartition {
  /** Light actors that have the new code. */
  readonly upgraded: number;
  /** Those that go on with the code that they had: their `codeChange` threw, or there was no time. */
  readonly kept: number;
  /** Why the first of these does. */
  readonly reason?: unknown;
}

/** What `partitions` and `members` are found by, whatever the template. */
export interface PartitionedSupervisor {
  /** One row for each partition: costs O(partitions). */
  partitions(): PartitionInfo[];
  /** A page of the members of one partition, in the order of their ids or longest queue first: costs O(members of it). */
  members(options?: MembersPage): MemberInfo[];
}

type Handlers = { readonly handlers: any };

/** What a light actor is started with where `T` was named, with what the template has left open. */
export type MemberSpecFor<T, Template> = T extends Handlers
  ? MemberStart<T> & ("args" extends keyof Template ? unknown : RequiredArgs<T>)
  : MemberStart;

/** What a spec of a light actor must have. Where `T` was named, `MemberSpecFor` says it. */
export type ExactMember<T, S, Template> = T extends Handlers
  ? unknown
  : true extends IsUnion<S>
    ? unknown
    : Exact<S, MemberStart> & ArgsOver<S, Template, ActorOf<S extends { readonly actor: unknown } ? S : Template>>;

/** The same of each one in a list. */
export type ExactMembers<T, S, Template> = { [I in keyof S]: ExactMember<T, S[I], Template> };

/** The arguments of a `startChild` without a spec: none, and no call at all where the actor's `init` asks for some. */
export type NoMemberSpec<T, Template> = "args" extends keyof Template
  ? []
  : undefined extends ActorArgs<T>
    ? []
    : [never, never];

/** The actor that a light actor's spec is for: the template's, where neither `T` nor the spec names another. */
export type StartedMember<T, S, Template> = 0 extends 1 & T
  ? any
  : T extends Handlers
    ? T
    : ActorOf<S extends { readonly actor: unknown } ? S : Template>;

/** A dynamic supervisor whose children, light actors, share threads. */
export interface PartitionedSupervisorRef<Template extends Partial<ActorSpec> = any>
  extends AnySupervisorRef,
    PartitionedSupervisor {
  /** Ends it as its `shutdown` says. Resolves when it has ended. Rejects with ERR_NOT_FOUND. */
  terminateChild(id: string): Promise<void>;
  /**
   * Starts a light actor; resolves to its reference when its `init` is done. Rejects with ERR_INVALID_CHILD_SPEC,
   * ERR_ALREADY_STARTED, ERR_MAX_CHILDREN, ERR_INIT_FAILED, ERR_INIT_TIMEOUT, ERR_ACTOR_MODULE, ERR_NOPROC for a
   * `sameThreadAs` that is none of this supervisor's, and ERR_CALL_EXIT when the partition ended meanwhile.
   */
  startChild<T = unknown, const S extends MemberSpecFor<T, Template> = MemberSpecFor<T, Template>>(
    spec: S & ExactMember<T, S, Template>,
  ): Promise<ActorRef<StartedMember<NoInfer<T>, NoInfer<S>, Template>>>;
  /** The same of one that is as the template says, with an id that is free. */
  startChild<T = MemberActor<Template>>(...none: NoMemberSpec<T, Template>): Promise<ActorRef<NoInfer<T>>>;
  /**
   * Starts many, with one message for each partition. The references are in the order of `specs`. Rejects with an
   * AggregateError of what `startChild` would reject with when some did not start: the others run.
   */
  startChildren<
    T = unknown,
    const S extends readonly MemberSpecFor<T, Template>[] = readonly MemberSpecFor<T, Template>[],
  >(
    specs: S & ExactMembers<T, S, Template>,
  ): Promise<ActorRef<StartedMember<NoInfer<T>, NoInfer<S[number]>, Template>>[]>;
  /**
   * With `place: "hash"`: where messages to the child with this id go, in each of its lives. It is computed, and
   * nothing is asked. Throws ERR_INVALID_OPTION with another `place`.
   */
  refOf<T = MemberActor<Template>>(id: string): ActorRef<NoInfer<T>>;
  /** The reference of the light actor with this id, while it lives. */
  child<T = MemberActor<Template>>(id: string): ActorRef<NoInfer<T>> | undefined;
  /** Rejects with ERR_RUNNING or ERR_NOT_FOUND: a light actor that has ended for good is forgotten. */
  restartChild(id: string): Promise<never>;
  /** As `restartChild`. */
  deleteChild(id: string): Promise<never>;
}

/** The actor of the template, when it says which. */
export type MemberActor<Template> = ActorOf<Template>;
