import type { Profiler } from "node:inspector";
import type { Readable } from "node:stream";
import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { MemberLife, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import { uncloneableFor } from "@mini-otp/worker-host/protocol/refs";
import { type Codec, type Encoded, encoded, payloadOf } from "@mini-otp/worker-host/protocol/values";
import type { ActorThread } from "../threads/actor-thread.js";
import { ControlRequests } from "./control-requests.js";
import { cpuProfile } from "./cpu-profile.js";
import { readableOf, requestHeapSnapshot } from "./heap-snapshot.js";

/** The incarnation that answers. */
export interface Introspected {
  /** Once `init` is done. */
  readonly running: boolean;
  readonly thread: ActorThread | undefined;
  post(message: ToActor): void;
}

/**
 * Main's requests to one incarnation, or to a light actor of its thread (`member`): by its port, and by the inspector of its thread. Every request rejects with
 * ERR_NOPROC when the incarnation does not run, ERR_CALL_EXIT when it ends meanwhile, and ERR_CALL_TIMEOUT.
 */
export class Introspection {
  readonly #id: string;
  readonly #codec: Codec;
  readonly #life: Introspected;
  readonly #isElsewhere: boolean;
  readonly #requests: ControlRequests;
  /** Of snapshots that come in parts. */
  readonly #parts = new Map<number, Uint8Array[]>();
  #suspended = false;
  #profiling = false;

  /** `isElsewhere`: its module runs in a process, which main's inspector does not reach. */
  constructor(id: string, codec: Codec, life: Introspected, isElsewhere: boolean) {
    this.#isElsewhere = isElsewhere;
    this.#id = id;
    this.#codec = codec;
    this.#life = life;
    this.#requests = new ControlRequests(id);
  }

  /** The actor has confirmed a `suspend`, and no `resume` since. */
  get suspended(): boolean {
    return this.#suspended;
  }

  /** User messages wait until `resume`. Resolves when the actor has confirmed it. */
  async suspend(timeoutMs: number, member?: MemberLife): Promise<void> {
    await this.#ask("suspend", timeoutMs, member, (request) => ({ type: "suspend", request, ...of(member) }));
    if (member === undefined) this.#suspended = true;
  }

  async resume(timeoutMs: number, member?: MemberLife): Promise<void> {
    await this.#ask("resume", timeoutMs, member, (request) => ({ type: "resume", request, ...of(member) }));
    if (member === undefined) this.#suspended = false;
  }

  getState(timeoutMs: number, member?: MemberLife): Promise<unknown> {
    return this.#ask("getState", timeoutMs, member, (request) => ({ type: "get_state", request, ...of(member) }));
  }

  async replaceState(state: unknown, timeoutMs: number, member?: MemberLife): Promise<unknown> {
    let value: Encoded;
    try {
      value = encoded(this.#codec.encodeValue(state, undefined, "state"));
    } catch (error) {
      throw uncloneableFor({ id: member?.id ?? this.#id, method: "replaceState" }, error);
    }
    return this.#ask("replaceState", timeoutMs, member, (request) => ({
      type: "replace_state",
      request,
      state: value,
      ...of(member),
    }));
  }

  async heapSnapshot(timeoutMs: number): Promise<Readable> {
    const thread = this.#requireRunning("heapSnapshot");
    const chunks = await this.#requests.ask("heapSnapshot", timeoutMs, (request) => {
      const ask = (): void => this.#life.post({ type: "heap_snapshot", request });
      if (this.#isElsewhere) ask();
      else void requestHeapSnapshot(thread, request, ask);
    });
    return readableOf(chunks as Uint8Array[]);
  }

  /** The thread has taken its snapshot, or a part of it has come. */
  snapshotTaken({ request, chunks, more = false, failure }: Extract<ToMain, { type: "heap_snapshot" }>): void {
    const all = this.#parts.get(request) ?? [];
    for (const chunk of chunks) all.push(chunk);
    // After the deadline the parts are dropped.
    if (more && this.#requests.waits(request)) this.#parts.set(request, all);
    else this.#parts.delete(request);
    if (!more) this.#requests.answer(request, failure !== undefined, failure === undefined ? all : new Error(failure));
  }

  /** One profile at a time, because V8 has one profiler for each thread: the first `stop` would end it for all. */
  async cpuProfile(ms: number, timeoutMs: number): Promise<Profiler.Profile> {
    if (this.#profiling) {
      const message = `id=${this.#id} cpuProfile: a profile of this actor is being taken`;
      throw new ActorError("ERR_RUNNING", message, { id: this.#id });
    }
    this.#profiling = true;
    try {
      if (!this.#isElsewhere)
        return await this.#watch("cpuProfile", ms + timeoutMs, (thread) => cpuProfile(thread, ms));
      const message = (request: number): ToActor => ({ type: "cpu_profile", request, ms });
      return (await this.#ask("cpuProfile", ms + timeoutMs, undefined, message)) as Profiler.Profile;
    } finally {
      this.#profiling = false;
    }
  }

  answer(request: number, failed: boolean, value: Encoded): void {
    let answer: unknown;
    try {
      answer = this.#codec.decodeValue(payloadOf(value));
    } catch (error) {
      this.#requests.answer(request, true, error);
      return;
    }
    this.#requests.answer(request, failed, answer);
  }

  ended(reason: ExitReason): void {
    this.#parts.clear();
    this.#requests.threadExited(reason);
  }

  async #watch<T>(what: string, timeoutMs: number, look: (thread: ActorThread) => Promise<T>): Promise<T> {
    const thread = this.#requireRunning(what);
    const answer = this.#requests.ask(what, timeoutMs, (request) => {
      look(thread).then(
        (value) => this.#requests.answer(request, false, value),
        (error: unknown) => {
          // The thread is ending: its exit follows and says why.
          if ((error as { code?: unknown } | null)?.code === "ERR_WORKER_NOT_RUNNING") return;
          this.#requests.answer(request, true, error);
        },
      );
    });
    return (await answer) as T;
  }

  async #ask(
    what: string,
    timeoutMs: number,
    { id }: Partial<MemberLife> = {},
    message: (request: number) => ToActor,
  ): Promise<unknown> {
    this.#requireRunning(what, id);
    return this.#requests.ask(what, timeoutMs, (request) => this.#life.post(message(request)), id);
  }

  #requireRunning(what: string, id = this.#id): ActorThread {
    const { running, thread } = this.#life;
    if (running && thread !== undefined) return thread;
    throw new ActorError("ERR_NOPROC", `id=${id} ${what}: the actor is not running`, { id });
  }
}

function of(member: MemberLife | undefined): { readonly member?: MemberLife } {
  return member === undefined ? {} : { member };
}
