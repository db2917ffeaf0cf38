import type { Throws } from "../options/throws.js";
import type { ActorRef } from "../refs/actor-ref.js";
import type { PoolRef } from "../refs/pool-ref.js";
import type { Encoded } from "../values/encoded.js";

/** Stands for the actor that a partition's thread runs. No file has this URL. */
const PARTITION = "mini-otp:partition";

export function partitionUrl(): URL {
  return new URL(PARTITION);
}

export function isPartitionUrl(url: string): boolean {
  return url === PARTITION;
}

/** What main says of the light actors that it has started, beside what each one has for itself. */
export interface MemberSpec {
  /** URLs of the module to try, in order. */
  readonly modules: readonly string[];
  readonly handlerTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly throws: Throws | undefined;
  /** When it is started again: a RESTART number. */
  readonly restart: number;
  /** A restart empties its mailbox. */
  readonly dropsOnRestart: boolean;
  readonly capacity: number;
  readonly capacityBytes: number;
  /** See `writePolicy`. */
  readonly policy: number;
}

/** The `args` of a partition's own actor. */
export interface PartitionArgs {
  /** The path of the supervisor, under which the members' ids are. */
  readonly supervisor: string;
  /** Of the table of cells. */
  readonly segment: number;
  /** What a message to the partition itself begins with when it is main's own. */
  readonly key: string;
  readonly template: MemberSpec | undefined;
  /** Modules that others have taken the place of since: by what their specs say, joined. */
  readonly upgraded: readonly (readonly [modules: string, now: readonly string[]])[];
  /** Of the former thread. */
  readonly inherited: Inheritance | undefined;
  readonly perThread: readonly { readonly id: string; readonly args: unknown; readonly spec: MemberSpec }[];
  /** Of the partition's thread. */
  readonly caps: { readonly heapCapMb: number; readonly offHeapCapMb: number };
  /** How often each member may be started again. */
  readonly intensity: number;
  readonly periodMs: number;
}

/** A light actor that the next thread of its partition starts again, as long as it lives. */
export interface KeptMember {
  readonly name: string;
  readonly cell: number;
  readonly generation: number;
  readonly spec: MemberSpec;
  readonly args: Encoded;
}

/** What the next thread of a partition takes over. */
export interface Inheritance {
  readonly specs: readonly MemberSpec[];
  /** `spec` is an index of `specs`. */
  readonly members: readonly (readonly [name: string, cell: number, generation: number, spec: number, args: Encoded])[];
  /** Lists of `SavedMessage`, in the order in which each member got them. */
  readonly messages: readonly Encoded[];
  /** Why the former thread has ended: for what comes too late for a member that ended with it. */
  readonly reason: Encoded;
}

/** A message that waited on the heap of a thread. `kind` is 0 for a cast, 1 for a call, 2 for a send. */
export type SavedMessage = readonly [
  cell: number,
  generation: number,
  kind: number,
  method: number | string,
  args: unknown[],
  bytes: number,
  callerAddress: number,
  callerUid: number,
  correlation: number,
];

/** What a partition's thread writes out before it ends otherwise than in order. */
export interface LastWords {
  readonly type: "last_words";
  /** The member whose code runs, if that is known. */
  readonly culprit: readonly [cell: number, generation: number] | undefined;
  /** When it ends over its memory: the member that holds most of it, if one holds too much. */
  readonly heaviest: readonly [cell: number, generation: number] | undefined;
  readonly messages: readonly Encoded[];
  /** How many messages these are of each member, and their bytes. */
  readonly counts: readonly (readonly [cell: number, count: number, bytes: number])[];
  /** The calls among them: their callers go on waiting. */
  readonly calls: readonly (readonly [callerUid: number, correlation: number])[];
}

/** What an upgrade has done in one partition. */
export interface UpgradedMembers {
  readonly upgraded: number;
  /** Members that go on with the code that they had. */
  readonly kept: number;
  /** Why the first of these does. */
  readonly error: Encoded | undefined;
  readonly fromVersion: string;
  /** Of the new code, if it names one. */
  readonly version: string | undefined;
}

/** A member to start. */
export type MemberItem = readonly [id: string, args: unknown];

/** Of a list of starts, in its order; both are 0 where none was begun. */
export interface StartedMembers {
  readonly addresses: readonly number[];
  readonly uids: readonly number[];
  /** By index in the list. */
  readonly failures: readonly (readonly [index: number, reason: Encoded])[];
}

/** One life of a light actor. */
export interface MemberLife {
  readonly cell: number;
  readonly generation: number;
  /** Its path. */
  readonly id: string;
}

/** To the `info` of a partition that is nearly full. */
export interface MembersWeigh {
  readonly type: "members.weigh";
}

/** An exit signal to a light actor: to the `info` of its partition. */
export interface MemberSignal {
  readonly type: "members.signal";
  readonly cell: number;
  readonly generation: number;
  /** For this life only, as from a link. Undefined: for whichever there is. */
  readonly life: number | undefined;
  readonly source: { readonly id: string; readonly ref: ActorRef | PoolRef | undefined };
  readonly reason: Encoded | "kill";
  /** The reason with which it ends, when that is another. */
  readonly fatal?: Encoded;
}
