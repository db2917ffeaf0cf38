import type { Transferable } from "../refs/actor-types.js";
import type { Encoded, TaskValue } from "../values/encoded.js";
import type { InitData } from "./boot.js";
import type { LogLevel } from "./log-levels.js";

/*
 * What main and an actor's thread say to each other beside the rings: on the worker's port, as structured
 * clones. Values of the user's travel `Encoded`, so that references and errors survive.
 */

/** A message, or part of one, that goes by way of main: too large for the ring, or with objects to transfer. */
export interface Parcel {
  /** Owner id of the thread that sent it, and its count there. */
  readonly owner: number;
  readonly number: number;
  readonly content: Encoded;
  /** What the content refers to by its place here; changes hands without a copy. */
  readonly transferred: readonly Transferable[];
}

/** `own`: a timer, a continuation, a signal: what came by no mailbox. */
export type MessageKind = "call" | "cast" | "send" | "own";

/** `failed`: a ReplyError, which ends the call only; `error`: thrown, and the actor crashes of it. */
export type TraceOutcome = "ok" | "failed" | "error";

/** A trace that main asks for. */
export interface TraceRequest {
  readonly trace: number;
  /** All when undefined. */
  readonly methods: readonly string[] | undefined;
  /** The share of them to tell of, over 0 to 1. */
  readonly sample: number;
  /** How many may be told of until main grants more. */
  readonly credit: number;
}

export type ToActor =
  | InitData
  | ({ readonly type: "trace" } & TraceRequest)
  | { readonly type: "trace_credit"; readonly trace: number; readonly credit: number }
  | { readonly type: "untrace"; readonly trace: number }
  /** What an upgrade's thread is told first, in place of `init`: it turns a former thread's snapshot into its own. */
  | {
      readonly type: "change_code";
      readonly init: InitData;
      readonly snapshot: Encoded;
      /** Of what the snapshot comes from, if that names none: its module's URL. */
      readonly fromVersion: string;
    }
  /** The former thread has exited: this one consumes the mailbox from now on. */
  | { readonly type: "take_over"; readonly address: number }
  /** Stand still between two messages and hand the state over. */
  | { readonly type: "hand_over" }
  /** No thread takes its place after all. */
  | { readonly type: "go_on" }
  /** Another thread has taken its place: end, without `terminate`. */
  | { readonly type: "leave" }
  | { readonly type: "segment"; readonly buffer: SharedArrayBuffer }
  /** `drain`: what was accepted is still handled; without, it is left to the next incarnation. */
  | { readonly type: "stop"; readonly reason: Encoded; readonly drain: boolean }
  /** For `info`: a list of the one message. */
  | { readonly type: "info"; readonly message: Encoded }
  /** User messages wait until `resume`; everything else goes on. */
  | { readonly type: "suspend"; readonly request: number }
  | { readonly type: "resume"; readonly request: number }
  | { readonly type: "get_state"; readonly request: number }
  | { readonly type: "replace_state"; readonly request: number; readonly state: Encoded }
  /** For a thread that main's inspector cannot interrupt. */
  | { readonly type: "heap_snapshot"; readonly request: number }
  /** Of a task: what it returned, or the error it failed with. */
  | { readonly type: "task_settled"; readonly request: number; readonly value?: TaskValue; readonly error?: Encoded }
  /** The answer to `whereis`. */
  | { readonly type: "found"; readonly ref: Encoded }
  | {
      readonly type: "reply";
      readonly kind: number;
      readonly correlation: number;
      readonly payload: Encoded;
      readonly transferred: readonly Transferable[];
    }
  /** The answer to a claim: `null` when the sender died before it could hand the parcel over. */
  | { readonly type: "parcel"; readonly parcel: Parcel | null }
  /** This thread and others wait for each other in a circle: the call or cast it is blocked in fails. */
  | { readonly type: "break_cycle"; readonly cycle: readonly string[] }
  | {
      readonly type: "callee_exited";
      readonly uid: number;
      readonly reason: Encoded;
      /** Requests with an earlier seq were consumed and will not be answered any more. */
      readonly consumedBefore: number;
      /** The mailbox is closed: nothing that waits in it will be answered either. */
      readonly closed: boolean;
    };

/** Whom a reference means, who may be gone. A pool has no address. */
export interface Target {
  readonly address: number | undefined;
  readonly uid: number;
  readonly id: string;
}

/** What becomes of messages to others that main has to know of, or see to: main's own and those of the actors' threads. */
export type Notice =
  /** Its placeholder is in the mailbox of `uid`. */
  | { readonly type: "parcel"; readonly uid: number; readonly parcel: Parcel }
  /** Its placeholder was dropped, or its objects cannot be transferred. */
  | { readonly type: "parcel_lost"; readonly owner: number; readonly number: number }
  /** The first to find this mailbox full. */
  | { readonly type: "mailbox_full"; readonly uid: number; readonly method: string }
  /** By the mailbox's policy. */
  | { readonly type: "dropped"; readonly id: string; readonly method: string }
  /** A reply for which the receiver's system lane has no room, or that transfers. */
  | {
      readonly type: "detour";
      readonly uid: number;
      readonly kind: number;
      readonly correlation: number;
      readonly payload: Encoded;
      /** What the payload refers to by its place here. */
      readonly transferred: readonly Transferable[];
    };

export type ToMain =
  | { readonly type: "loaded" }
  /** What V8 has made of the thread's code so far, for threads to come. */
  | { readonly type: "compiled"; readonly code: Uint8Array }
  | { readonly type: "module_failed"; readonly error: Encoded }
  /** Memory outside the heap that V8 does not count, in bytes. */
  | { readonly type: "unseen_memory"; readonly bytes: number }
  /** A process that the thread has started, and that ends with it, has started or ended. */
  | { readonly type: "child_process"; readonly pid: number; readonly ended: boolean }
  | { readonly type: "started" }
  | { readonly type: "handed_over"; readonly snapshot: Encoded }
  | { readonly type: "hand_over_failed"; readonly error: Encoded }
  /** Came after the state was handed over: for the thread that has the actor now. */
  | { readonly type: "returned"; readonly message: ToActor }
  /** The snapshot has been taken in. */
  | { readonly type: "code_changed"; readonly fromVersion: string; readonly version: string | undefined }
  | { readonly type: "ignored" }
  | { readonly type: "init_failed"; readonly error: Encoded }
  | { readonly type: "exiting"; readonly reason: Encoded }
  | Notice
  | { readonly type: "claim"; readonly owner: number; readonly number: number }
  /** The answer to a request of main's. */
  | { readonly type: "answer"; readonly request: number; readonly failed: boolean; readonly value: Encoded }
  /** Its chunks change hands without a copy. `failure`: why there is none. */
  | {
      readonly type: "heap_snapshot";
      readonly request: number;
      readonly chunks: readonly Uint8Array<ArrayBuffer>[];
      readonly failure?: string;
    }
  | {
      readonly type: "run_task";
      readonly request: number;
      readonly uid: number;
      readonly id: string;
      readonly task: TaskValue;
      readonly name: string | undefined;
    }
  | { readonly type: "abort_task"; readonly request: number }
  | { readonly type: "whereis"; readonly name: string }
  /** `monitor` is the actor's own number for it. */
  | { readonly type: "monitor"; readonly monitor: number; readonly target: Target }
  | { readonly type: "demonitor"; readonly monitor: number }
  | { readonly type: "link"; readonly target: Target }
  | { readonly type: "unlink"; readonly target: Target }
  | { readonly type: "trap_exit"; readonly trap: boolean }
  | { readonly type: "exit"; readonly target: Target; readonly reason: Encoded | "kill" }
  | { readonly type: "unhandled"; readonly method: string; readonly detail: string }
  | {
      readonly type: "traced";
      readonly trace: number;
      readonly method: string;
      readonly kind: MessageKind;
      /** `hrtimeMs`. */
      readonly startedAt: number;
      readonly tookMs: number;
      readonly outcome: TraceOutcome;
      /** How many before this one were not told of, for want of credit. */
      readonly missed: number;
    }
  /** `line` is a list: the logger's bindings or null, then what the logger was given. `atMs` is `Date.now()`. */
  | { readonly type: "log"; readonly level: LogLevel; readonly atMs: number; readonly line: Encoded };
