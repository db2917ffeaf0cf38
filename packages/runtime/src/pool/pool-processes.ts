import type { MessagePort } from "node:worker_threads";
import { type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import {
  CALLED,
  type FromPoolProcess,
  type PoolProcessData,
  type TaskFailure,
  type TaskFigures,
  type ToStreamTask,
} from "@mini-otp/worker-host/protocol/port";
import { type Codec, checkLeaves, type TaskValue } from "@mini-otp/worker-host/protocol/values";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import { systemClock } from "../supervision/clock.js";
import { moduleCandidates } from "../threads/actor-module.js";
import { EXITING_MS, ZOMBIE_MS } from "../threads/end-limits.js";
import type { Ending } from "./ending.js";
import { PoolProcess } from "./pool-process.js";
import { checkNotBundled, type PoolThreadsHost, type PoolThreadsListener } from "./pool-threads.js";
import { Recycling } from "./recycling.js";
import { TaskEnd } from "./task-end.js";
import { type TaskLimit, TaskLimits } from "./task-limits.js";

export interface PoolProcessesHost extends PoolThreadsHost {
  readonly outbox: { readonly codec: Codec };
}

type Done = (end: TaskEnd | undefined, value: TaskValue | undefined) => void;

/** A task from `run` to its end. */
interface Run {
  readonly place: number;
  readonly name: string | undefined;
  readonly task: TaskValue | undefined;
  readonly end: Ending;
  readonly abortable: boolean;
  readonly limit: TaskLimit | undefined;
  readonly done: Done;
  member: Member | undefined;
  hasEnded: boolean;
}

/** A process from its start until it has ended, or main ends it. */
interface Member {
  /** The pool's own: a process that cannot be started has no other. */
  readonly id: number;
  readonly process: PoolProcess;
  readonly running: Map<number, Run>;
  /** It has loaded the module. */
  isReady: boolean;
  /** Infinity while it runs a task that only its end can abort: it gets no other. */
  readonly currentUsage: number;
  idle: NodeJS.Timeout | undefined;
  exiting: NodeJS.Timeout | undefined;
}

/**
 * One incarnation of a pool whose threads are processes; otherwise the same as PoolThreads, and with piscina's rules: a
 * process more for a task that finds none, up to `maxThreads`, and tasks to the one that runs the fewest. What ends a
 * process without a task ends the incarnation. Over 350 lines, because each event of a process and of a task changes the
 * same two tables.
 */
export class PoolProcesses {
  readonly #spec: FullPoolSpec;
  readonly #path: string;
  readonly #host: PoolProcessesHost;
  readonly #listener: PoolThreadsListener;
  readonly #boot: PoolProcessData;
  readonly #recycling: Recycling | undefined;
  readonly #limits: TaskLimits | undefined;
  readonly #free: number[];
  /** By place: CALLED once a process has the task. */
  readonly #stages: Int32Array;
  readonly #runs = new Map<number, Run>();
  readonly #waiting: Run[] = [];
  readonly #members = new Map<number, Member>();
  /** Ends main waits for, those of members that are ended included. */
  readonly #alive = new Set<PoolProcess>();
  #lastId = 0;
  #allEnded: (() => void) | undefined;
  #closed = false;

  constructor(spec: FullPoolSpec, path: string, host: PoolProcessesHost, listener: PoolThreadsListener) {
    checkNotBundled(path);
    this.#spec = spec;
    this.#path = path;
    this.#host = host;
    this.#listener = listener;
    const { maxThreads, concurrentTasksPerWorker, recycle, taskTimeoutMs, startTimeoutMs } = spec;
    const { filename, workerData, heapCapMb, offHeapCapMb } = spec;
    const moduleUrls = moduleCandidates(filename);
    this.#boot = { id: path, moduleUrls, workerData, capMb: heapCapMb + offHeapCapMb };
    const places = maxThreads * concurrentTasksPerWorker;
    this.#stages = new Int32Array(places);
    this.#free = Array.from({ length: places }, (_, i) => i);
    if (recycle !== undefined)
      this.#recycling = new Recycling(recycle, concurrentTasksPerWorker, (id) => this.#leave(id));
    if (taskTimeoutMs !== Infinity)
      this.#limits = new TaskLimits(systemClock, taskTimeoutMs, startTimeoutMs, (place) => this.#stages[place]);
    this.#keepMinimum();
  }

  /** Whether another task can run now. */
  get hasRoom(): boolean {
    return this.#free.length > (this.#recycling?.reserved ?? 0);
  }

  /** Whether another task can run now, or once the process that leaves has been replaced. */
  get hasPlace(): boolean {
    return this.#free.length > 0;
  }

  get count(): number {
    return this.#members.size;
  }

  /** As PoolThreads.run. A task without a name ends once a process has loaded the module. */
  run(name: string | undefined, task: TaskValue | undefined, end: Ending, abortable: boolean, done: Done): void {
    const place = this.#free.pop() as number;
    this.#stages[place] = 0;
    const limit = abortable ? this.#limits?.begin(place, end) : undefined;
    const run: Run = { place, name, task, end, abortable, limit, done, member: undefined, hasEnded: false };
    this.#runs.set(place, run);
    try {
      if (task !== undefined) checkLeaves(this.#host.outbox.codec, this.#path, task, "task");
    } catch (error) {
      queueMicrotask(() => this.#settle(run, new TaskEnd(error, 0, undefined, true)));
      return;
    }
    if (abortable) end.addEventListener("abort", () => this.#abort(run));
    this.#waiting.push(run);
    this.#assign();
  }

  /** The exit reason of a process that ended before its task. */
  lostThread({ error }: TaskEnd): ExitReason {
    return error as ExitReason;
  }

  /** Ends all processes. Resolves to false when one has not ended within a second. */
  async close(): Promise<boolean> {
    this.#closed = true;
    this.#recycling?.close();
    this.#limits?.close();
    const ended = new Promise<boolean>((resolve) => {
      const late = setTimeout(() => resolve(false), ZOMBIE_MS);
      this.#allEnded = () => {
        clearTimeout(late);
        resolve(true);
      };
    });
    for (const member of [...this.#members.values()]) this.#end(member);
    for (const run of [...this.#runs.values()]) this.#settle(run, new TaskEnd(KILLED, 0, undefined, false));
    if (this.#alive.size === 0) this.#allEnded?.();
    return ended;
  }

  /** Gives waiting tasks to processes with room, in order, and starts processes for those that are left. */
  #assign(): void {
    if (this.#closed) return;
    for (let run = this.#waiting[0]; run !== undefined; run = this.#waiting[0]) {
      const member = this.#freeMember(run.abortable);
      if (member === undefined) break;
      this.#waiting.shift();
      this.#give(run, member);
    }
    let starting = 0;
    for (const { isReady } of this.#members.values()) if (!isReady) starting++;
    for (; starting < this.#waiting.length && this.count < this.#spec.maxThreads; starting++) this.#start();
  }

  #freeMember(forItself: boolean): Member | undefined {
    let chosen: Member | undefined;
    let least = forItself ? 1 : this.#spec.concurrentTasksPerWorker;
    for (const member of this.#members.values()) {
      if (!member.isReady || member.currentUsage >= least || member.id === this.#recycling?.leavingId) continue;
      chosen = member;
      least = member.currentUsage;
    }
    return chosen;
  }

  #give(run: Run, member: Member): void {
    const { place, name, task } = run;
    if (name === undefined) return this.#settle(run, undefined, EMPTY);
    clearTimeout(member.idle);
    run.member = member;
    member.running.set(place, run);
    // The process calls the function as soon as it has the task: one that has a limit finds no other there.
    this.#stages[place] = CALLED;
    const sent = (task ?? EMPTY) as TaskValue;
    if (sent.isStream) this.#openStream(run, member, sent);
    member.process.post({ type: "task", number: place, name, task: sent.isStream ? withoutPort(sent) : sent });
  }

  /** The port of a stream's reader stays on main, which passes on what goes through it. */
  #openStream({ place }: Run, { process }: Member, task: TaskValue): void {
    const port = portOf(task);
    port.on("message", (message: ToStreamTask) => process.post({ type: "to_stream", number: place, message }));
    port.unref();
  }

  #start(): void {
    const member: Member = {
      id: ++this.#lastId,
      process: new PoolProcess(this.#spec, this.#boot, this.#host.outbox.codec, {
        onMessage: (message) => this.#message(member, message),
        onOverCap: (reason) => this.#host.guard.ended(`${this.#path} (process ${member.process.pid})`, reason),
        onExit: (reason) => this.#exited(member, reason),
      }),
      running: new Map(),
      isReady: false,
      get currentUsage() {
        for (const { abortable } of member.running.values()) if (abortable) return Infinity;
        return member.running.size;
      },
      idle: undefined,
      exiting: undefined,
    };
    this.#alive.add(member.process);
    this.#members.set(member.id, member);
    this.#recycling?.started(member.id);
  }

  #message(member: Member, message: FromPoolProcess): void {
    switch (message.type) {
      case "loaded":
        return this.#loaded(member);
      case "not_loaded":
        return this.#notLoaded(member, message.failure);
      case "ended":
        return this.#taskEnded(member, message, undefined, message.value);
      case "failed":
        return this.#taskEnded(member, message, message.failure, undefined);
      case "from_stream": {
        const { task } = member.running.get(message.number) ?? {};
        if (task !== undefined) portOf(task).postMessage(message.message);
        return;
      }
      case "leaving":
        member.exiting ??= setTimeout(
          () => member.process.kill({ kind: "exit_called", code: message.code }),
          EXITING_MS,
        ).unref();
        return;
      case "stays":
        clearTimeout(member.exiting);
        member.exiting = undefined;
        return;
      default:
        message satisfies never;
        throw new Error("no message of a pool's process");
    }
  }

  #loaded(member: Member): void {
    member.isReady = true;
    if (this.#closed || !this.#members.has(member.id)) return;
    this.#recycling?.shown(member.id, member);
    this.#assign();
    this.#rest(member);
  }

  #notLoaded(member: Member, failure: TaskFailure): void {
    if (!this.#members.has(member.id)) return;
    this.#end(member);
    const run = this.#waiting.shift();
    if (run === undefined) this.#listener.cannotLoad(failure);
    else this.#settle(run, new TaskEnd(failure, member.id, undefined, false));
  }

  #taskEnded(
    member: Member,
    { number, figures }: { readonly number: number; readonly figures: TaskFigures },
    failure: TaskFailure | undefined,
    value: TaskValue | undefined,
  ): void {
    const run = member.running.get(number);
    if (run === undefined) return;
    const { tookUs, grewKb, memoryKb } = figures;
    if (tookUs > 0) this.#listener.measured(tookUs, grewKb);
    const end = failure && new TaskEnd(failure, member.id, run.limit?.over, false);
    member.running.delete(number);
    this.#rest(member);
    this.#recycling?.taskEnded(member.id, tookUs > 0, memoryKb / 1024);
    this.#settle(run, end, value);
    this.#assign();
  }

  /** Once. The place is free again before `done` is called. */
  #settle(run: Run, end: TaskEnd | undefined, value?: TaskValue): void {
    if (run.hasEnded) return;
    run.hasEnded = true;
    const { place, limit, task } = run;
    if (limit !== undefined) this.#limits?.end(limit);
    this.#runs.delete(place);
    run.member?.running.delete(place);
    if (task?.isStream) portOf(task).close();
    this.#free.push(place);
    run.done(end, value);
  }

  #abort(run: Run): void {
    if (run.hasEnded) return;
    const { member } = run;
    if (member === undefined) this.#waiting.splice(this.#waiting.indexOf(run), 1);
    else this.#end(member);
    this.#settle(run, new TaskEnd(KILLED, member === undefined ? 0 : member.id, run.limit?.over, false));
    this.#keepMinimum();
    this.#assign();
  }

  /** Has a process that runs no task exit by itself, so that its exit handlers run. */
  #leave(id: number): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    clearTimeout(member.idle);
    member.process.post({ type: "leave" });
    member.exiting = setTimeout(() => member.process.kill(), EXITING_MS).unref();
  }

  /** Ends a process; from now on it is none of the pool's. */
  #end(member: Member): void {
    clearTimeout(member.idle);
    clearTimeout(member.exiting);
    this.#members.delete(member.id);
    member.process.kill();
  }

  #exited(member: Member, reason: ExitReason): void {
    this.#alive.delete(member.process);
    clearTimeout(member.idle);
    clearTimeout(member.exiting);
    const wasMember = this.#members.delete(member.id);
    const { wasLeaving = false, wasTold = false } = this.#recycling?.exited(member.id) ?? {};
    if (this.#closed) {
      if (this.#alive.size === 0) this.#allEnded?.();
      return;
    }
    // A process that does not come up takes the task with it for which it was started.
    const lost = [...member.running.values()];
    if (wasMember && !member.isReady) lost.push(...this.#waiting.splice(0, 1));
    if (wasMember && lost.length === 0 && !wasTold) return this.#listener.broken(reason);
    for (const run of lost) this.#settle(run, new TaskEnd(reason, member.id, run.limit?.over, false));
    this.#keepMinimum();
    this.#assign();
    if (wasLeaving) this.#listener.left(wasTold);
  }

  #keepMinimum(): void {
    while (!this.#closed && this.count < this.#spec.minThreads) this.#start();
  }

  /** Ends it when it has had no task for so long, and others are left. */
  #rest(member: Member): void {
    clearTimeout(member.idle);
    if (member.running.size > 0 || this.count <= this.#spec.minThreads) return;
    member.idle = setTimeout(() => {
      if (this.count > this.#spec.minThreads && member.id !== this.#recycling?.leavingId) this.#end(member);
    }, this.#spec.idleTimeoutMs).unref();
  }
}

const EMPTY: TaskValue = { content: { primitive: undefined }, transferred: [] };

function portOf({ transferred }: TaskValue): MessagePort {
  return transferred.at(-1) as MessagePort;
}

function withoutPort(task: TaskValue): TaskValue {
  return { ...task, transferred: task.transferred.slice(0, -1) };
}
