import type { MessagePort } from "node:worker_threads";
import type { ExitReason } from "../errors/exit-reason.js";
import type { Transferable } from "../refs/actor-types.js";
import type { Encoded, TaskValue } from "../values/encoded.js";
import type { InitData } from "./boot.js";
import type { LogLevel } from "./log-levels.js";
import type { KeptMember, LastWords, MemberLife } from "./partition.js";
import type { ProcessFigures } from "./process.js";

/*
 * The messages between main and an actor's thread beside the rings: structured clones on a port. Values of the user's
 * travel `Encoded`, so that references and errors survive.
 */

/** A message that goes by way of main, because it is too large for the ring or transfers objects. */
export interface Parcel {
  /** Owner id of the sending thread, and the parcel's number there. */
  readonly owner: number;
  readonly number: number;
  readonly content: Encoded;
  /** Objects that move without a copy. The content refers to each by its index. */
  readonly transferred: readonly Transferable[];
}

/** A parcel that its sender posts to the receiver's thread. */
export interface DirectParcel {
  readonly owner: number;
  readonly number: number;
  readonly parcel: Parcel | null;
}

/** `own`: a timer, a continuation or a signal, which came by no mailbox. */
export type MessageKind = "call" | "cast" | "send" | "own";

/** `failed`: what the handler threw fails the call only. `error`: the handler threw, and the actor crashes. */
export type TraceOutcome = "ok" | "failed" | "error";

/** Main asks for a trace. */
export interface TraceRequest {
  readonly trace: number;
  /** Undefined: all methods. */
  readonly methods: readonly string[] | undefined;
  /** The share of messages to report, more than 0, at most 1. */
  readonly sample: number;
  /** How many messages may be reported before main grants more. */
  readonly credit: number;
}

export type ToActor =
  | InitData
  /** `member`: of a light actor of the thread, whose traces have numbers of their own. */
  | ({ readonly type: "trace"; readonly member?: MemberLife } & TraceRequest)
  | { readonly type: "trace_credit"; readonly trace: number; readonly credit: number; readonly member?: MemberLife }
  | { readonly type: "untrace"; readonly trace: number; readonly member?: MemberLife }
  /** The first message to an upgrade's thread, instead of `init`: turn a former thread's snapshot into your state. */
  | {
      readonly type: "change_code";
      readonly init: InitData;
      readonly snapshot: Encoded;
      /** Version of the code that made the snapshot; the URL of its module, if it names no version. */
      readonly fromVersion: string;
    }
  /** The former thread has exited: this one consumes the mailbox from now on. */
  | { readonly type: "take_over"; readonly address: number }
  /** Stop between two messages, and hand the state over. */
  | { readonly type: "hand_over" }
  /** The hand-over is off: go on. */
  | { readonly type: "go_on" }
  /** Another thread has taken the actor over: end without `terminate`. */
  | { readonly type: "leave" }
  | { readonly type: "segment"; readonly buffer: SharedArrayBuffer }
  /** For the thread with the owner id `to`: its end of a channel to the actor's thread with the owner id `peer`. */
  | { readonly type: "direct_port"; readonly to: number; readonly peer: number; readonly port: MessagePort }
  /** `drain`: handle the accepted messages first; otherwise they are left to the next incarnation. */
  | { readonly type: "stop"; readonly reason: Encoded; readonly drain: boolean }
  /** A message for `info`, as a list of one. */
  | { readonly type: "info"; readonly message: Encoded }
  /** User messages wait until `resume`. Everything else goes on. `member`: asked of a light actor of the thread. */
  | { readonly type: "suspend"; readonly request: number; readonly member?: MemberLife }
  | { readonly type: "resume"; readonly request: number; readonly member?: MemberLife }
  | { readonly type: "get_state"; readonly request: number; readonly member?: MemberLife }
  | { readonly type: "replace_state"; readonly request: number; readonly state: Encoded; readonly member?: MemberLife }
  /** Asked of a thread that main's inspector cannot interrupt. */
  | { readonly type: "heap_snapshot"; readonly request: number }
  /** For a process: main's own inspector profiles threads. */
  | { readonly type: "cpu_profile"; readonly request: number; readonly ms: number }
  /** A pool's task has ended: `value` is its result, `error` why it failed. */
  | { readonly type: "task_settled"; readonly request: number; readonly value?: TaskValue; readonly error?: Encoded }
  /** The answer to `start_child`: the child's reference, or why it did not start. */
  | { readonly type: "child_started"; readonly request: number; readonly failed: boolean; readonly value: Encoded }
  /** The answer to `whereis`. */
  | { readonly type: "found"; readonly ref: Encoded }
  | {
      readonly type: "reply";
      readonly kind: number;
      readonly number: number;
      readonly senderUid: number;
      readonly correlation: number;
      readonly payload: Encoded;
      readonly transferred: readonly Transferable[];
    }
  /** The answer to a claim; `null` when the sender died before it handed the parcel over. */
  | { readonly type: "parcel"; readonly parcel: Parcel | null }
  /** On a channel between two threads: the content of a placeholder; `null` when its objects are gone. */
  | ({ readonly type: "direct_parcel" } & DirectParcel)
  /** This thread is blocked in a circle of actors that wait for each other: fail the call or cast that it is in. */
  | { readonly type: "break_cycle"; readonly cycle: readonly string[] }
  | {
      readonly type: "callee_exited";
      readonly uid: number;
      readonly reason: Encoded;
      /** Requests with an earlier seq were consumed, and will not be answered any more. */
      readonly consumedBefore: number;
      /** The mailbox is closed, so requests that wait in it will not be answered either. */
      readonly closed: boolean;
      /** Correlations of calls that the next thread answers although they were consumed. */
      readonly kept: readonly number[];
    };

/** The actor or pool that a reference means; it may be gone. A pool has no address. */
export interface Target {
  readonly address: number | undefined;
  readonly uid: number;
  readonly id: string;
  /** Of a light actor, the life that was meant: a later one has its address too. Undefined: whichever there is. */
  readonly life?: number | undefined;
}

/** What happened to a message to another actor and concerns main. Main's own outbox sends these too. */
export type Notice =
  /** A parcel whose placeholder is in the mailbox of `uid`. */
  | { readonly type: "parcel"; readonly uid: number; readonly parcel: Parcel }
  /** A parcel whose placeholder was dropped or is of a call that was given up, or whose objects cannot be transferred. */
  | { readonly type: "parcel_lost"; readonly owner: number; readonly number: number }
  /** This sender was the first to find the mailbox full. */
  | { readonly type: "mailbox_full"; readonly uid: number; readonly method: string }
  /** The mailbox's overflow policy dropped a message. */
  | { readonly type: "dropped"; readonly id: string; readonly method: string }
  | Detour;

/** A record that transfers objects, or does not fit into the receiver's system lane now: main passes it on. */
export interface Detour {
  readonly type: "detour";
  readonly uid: number;
  readonly kind: number;
  /** What the record would have had for its method. */
  readonly number: number;
  readonly senderUid: number;
  readonly correlation: number;
  readonly payload: Encoded;
  /** Objects that the payload refers to by their index. */
  readonly transferred: readonly Transferable[];
}

/** `restarted`: it has begun another life. */
export type WatchedEnd = readonly [
  address: number,
  uid: number,
  id: string,
  life: number,
  reason: Encoded,
  restarted: boolean,
];

/** What has happened to the light actors of a partition since the last time. */
export interface MembersNews {
  readonly type: "members";
  /** Started by a member: id, address, and what stands for the uid. */
  readonly spawned: readonly (readonly [id: string, address: number, uid: number])[];
  /** Of those that have started: what the next thread starts again. */
  readonly kept: readonly KeptMember[];
  /** The thread has taken over what the former one left. */
  readonly inherited: boolean;
  /** Ended: id, cell, generation. */
  readonly gone: readonly (readonly [id: string, cell: number, generation: number])[];
  /** How many ended, by the kind of their reasons. */
  readonly ended: Readonly<Record<string, number>>;
  /** Ends that main has asked to be told of. */
  readonly watched: readonly WatchedEnd[];
  /** How many of those that ended have been started again, and how many were not because they had been too often. */
  readonly restarted: number;
  readonly givenUp: number;
  /** Messages that waited in those that have ended, or came too late, and messages that an overflow policy dropped. */
  readonly queued: number;
  readonly dropped: number;
  /** The method of one of these. */
  readonly method: string;
  /** The first of the ends by an error. */
  readonly sample: { readonly id: string; readonly reason: Encoded } | undefined;
}

export type ToMain =
  | MembersNews
  | LastWords
  | { readonly type: "loaded" }
  /** V8's compiled form of the thread's code, for later threads. */
  | { readonly type: "compiled"; readonly code: Uint8Array }
  | { readonly type: "module_failed"; readonly error: Encoded }
  /** Bytes outside the heap that V8 does not count. */
  | { readonly type: "unseen_memory"; readonly bytes: number }
  /** A child process of the thread, which ends with it, has started or ended. */
  | { readonly type: "child_process"; readonly pid: number; readonly ended: boolean }
  /** The process that the actor's module runs in, if it has one of its own. It ends with the thread. */
  | { readonly type: "process"; readonly pid: number }
  | { readonly type: "process_figures"; readonly figures: ProcessFigures }
  /** That process was over its cap, and is ended. */
  | { readonly type: "over_cap"; readonly reason: ExitReason }
  | { readonly type: "started" }
  | { readonly type: "handed_over"; readonly snapshot: Encoded }
  | { readonly type: "hand_over_failed"; readonly error: Encoded }
  /** A message that came after the state was handed over. Main sends it to the successor thread. */
  | { readonly type: "returned"; readonly message: ToActor }
  /** `codeChange` has taken the snapshot over. */
  | { readonly type: "code_changed"; readonly fromVersion: string; readonly version: string | undefined }
  | { readonly type: "ignored" }
  | { readonly type: "init_failed"; readonly error: Encoded }
  | { readonly type: "exiting"; readonly reason: Encoded }
  | Notice
  /** `direct`: the sender has posted the parcel to a thread of this actor, which may have returned it. */
  | { readonly type: "claim"; readonly owner: number; readonly number: number; readonly direct: boolean }
  /** The answer to a request of main's. */
  | { readonly type: "answer"; readonly request: number; readonly failed: boolean; readonly value: Encoded }
  /** The chunks are transferred. `more`: others follow. `failure` says why there is no snapshot. */
  | {
      readonly type: "heap_snapshot";
      readonly request: number;
      readonly chunks: readonly Uint8Array[];
      readonly more?: boolean;
      readonly failure?: string | undefined;
    }
  | {
      readonly type: "run_task";
      readonly request: number;
      readonly uid: number;
      readonly id: string;
      readonly task: TaskValue;
      readonly name: string | undefined;
      /** See TaskOptions. */
      readonly waits: boolean;
    }
  | { readonly type: "abort_task"; readonly request: number }
  /** Starts a child of the actor's own. */
  | { readonly type: "start_child"; readonly request: number; readonly spec: Encoded }
  | { readonly type: "whereis"; readonly name: string }
  /** `monitor` is the actor's own number of it. */
  | { readonly type: "monitor"; readonly monitor: number; readonly target: Target }
  | { readonly type: "demonitor"; readonly monitor: number }
  /** Asks for a DOWN with the monitor `-uid` when the reader of a stream has ended, unless main is the reader. */
  | { readonly type: "watch_reader"; readonly uid: number }
  /** `from` is the light actor that asks, in these three; otherwise the actor itself does. */
  | { readonly type: "link"; readonly target: Target; readonly from?: Target }
  | { readonly type: "unlink"; readonly target: Target; readonly from?: Target }
  | { readonly type: "trap_exit"; readonly trap: boolean }
  | { readonly type: "exit"; readonly target: Target; readonly reason: Encoded | "kill"; readonly from?: Target }
  /** `id`: the light actor of the thread whose message it was. */
  | { readonly type: "unhandled"; readonly method: string; readonly detail: string; readonly id?: string }
  | {
      readonly type: "traced";
      readonly member?: MemberLife;
      readonly trace: number;
      readonly method: string;
      readonly kind: MessageKind;
      /** `hrtimeMs`. */
      readonly startedAt: number;
      readonly tookMs: number;
      readonly outcome: TraceOutcome;
      /** How many messages before this one were not reported, for want of credit. */
      readonly missed: number;
    }
  /** `line` is a list: the logger's bindings or null, then the logger's arguments. `atMs` is `Date.now()`. */
  | { readonly type: "log"; readonly level: LogLevel; readonly atMs: number; readonly line: Encoded };
