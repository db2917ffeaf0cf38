import { availableParallelism } from "node:os";
import {
  MessageChannel,
  type MessagePort,
  type ResourceLimits,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { killGroup } from "@mini-otp/worker-host/process";
import { ATTENTION_BYTES, askUnlessLeaving, ConsumerState } from "@mini-otp/worker-host/protocol/memory";
import type { BootData, ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";
import type { HeapStatistics } from "../guard/probe.js";
import type { ActorSpec } from "../supervision/child-spec.js";
import { ChildProcesses, killProcess } from "./child-processes.js";
import { OpenQuestions } from "./open-questions.js";
import { type LoopTimes, ProcessMeter } from "./process-meter.js";
import { keepCompiled, threadCode, threadEntry } from "./thread-code.js";
import { forwardOutput } from "./thread-output.js";

/** The environment of one thread. */
export interface ThreadEnv {
  /** It is main's. */
  readonly inherited: boolean;
  readonly variables: Record<string, string>;
}

export interface ThreadOptions {
  readonly boot: Omit<BootData, "port" | "attention" | "code" | "cores">;
  readonly name: string;
  readonly heapCapMb: number;
  /** V8's own limit is this far above the cap: see the guard. */
  readonly headroomMb: number;
  readonly env: ThreadEnv;
  readonly execArgv: readonly string[] | undefined;
}

export interface ThreadListener {
  onMessage(message: ToMain): void;
  /** The thread is joined: it never writes to shared memory again. `error` is what ended it, if Node names an error. */
  onExit(error: Error | undefined): void;
}

const CORES = availableParallelism();
/** A thread that does not end is asked again after this long, then after twice as long, … */
const FIRST_AGAIN_MS = 20;
const LAST_AGAIN_MS = 5000;
const MOST_AT_ONCE = 10_000;
/** A thread is ended itself if it has not read the end of its process after this long. Shorter than ZOMBIE_MS. */
const PROCESS_ENDS_MS = 600;

/** One worker thread, from start to exit. The only place that starts threads. */
export class ActorThread {
  readonly ownerId: number;
  /** Node's number for the thread; -1 if it could not be started. */
  readonly threadId: number;
  /** Undefined if the thread could not be started. */
  readonly #worker: Worker | undefined;
  readonly #port: MessagePort;
  readonly #attention: Int32Array;
  readonly #children = new ChildProcesses();
  #listener: ThreadListener;
  #exited = false;
  #abandoned = false;
  readonly #questions = new OpenQuestions();
  #process: ProcessMeter | undefined;
  #ending = false;
  #asking: NodeJS.Timeout | undefined;

  constructor(options: ThreadOptions, listener: ThreadListener) {
    this.ownerId = options.boot.ownerId;
    this.#listener = listener;
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const attention = new SharedArrayBuffer(ATTENTION_BYTES);
    this.#attention = new Int32Array(attention);
    const workerData: BootData = { ...options.boot, port: port2, attention, code: threadCode(), cores: CORES };
    try {
      this.#worker = startWorker(options, workerData);
    } catch (error) {
      // No file descriptor or thread is left, or Node refuses the flags. The owner learns of it by an ordinary exit.
      this.threadId = -1;
      this.#exited = true;
      port1.close();
      setImmediate(() => this.#listener.onExit(error as Error));
      return;
    }
    this.threadId = this.#worker.threadId;
    forwardOutput(this.#worker);
    // Node emits "error" just before "exit", and only at "exit" is the thread gone: both are told at once, at "exit".
    let death: Error | undefined;
    // Each terminate() adds a listener for "exit".
    this.#worker.setMaxListeners(0);
    this.#worker.on("error", (error: Error) => {
      death = error;
    });
    this.#worker.on("exit", () => {
      // The port holds the last messages; none comes after them.
      this.takeMessages(Infinity);
      this.#exited = true;
      clearTimeout(this.#asking);
      this.#children.kill();
      port1.close();
      this.#listener.onExit(death);
    });
    port1.on("message", (message: ToMain) => this.#take(message));
    // The worker keeps the process alive; the port must not.
    port1.unref();
  }

  /** The process that runs the actor's module, if the thread does not. */
  get process(): ProcessMeter | undefined {
    return this.#process;
  }

  /** Replaces the listener. */
  listen(listener: ThreadListener): void {
    this.#listener = listener;
  }

  /**
   * Handles the messages that the thread has posted so far, without waiting for the event loop to deliver them. A
   * running thread may post faster than main handles, so there is a bound: the event loop delivers the rest.
   */
  takeMessages(most = MOST_AT_ONCE): void {
    for (let taken = 0; taken < most; taken++) {
      const received = receiveMessageOnPort(this.#port) as { message: ToMain } | undefined;
      if (received === undefined) return;
      this.#take(received.message);
    }
  }

  #take(message: ToMain): void {
    if (message.type === "compiled") keepCompiled(message.code);
    else if (message.type === "child_process") this.#childProcess(message.pid, message.ended);
    else if (message.type === "process") this.#process = new ProcessMeter(message.pid);
    else if (message.type === "process_figures") this.#process?.tell(message.figures);
    else this.#listener.onMessage(message);
  }

  #childProcess(pid: number, ended: boolean): void {
    if (ended) this.#children.ended(pid);
    else this.#children.started(pid);
  }

  /** Runs `ask`, a request through the inspector, unless the thread is ending. */
  ask<T>(ask: () => T): T | undefined {
    if (this.#exited || this.#ending) return undefined;
    const answer = askUnlessLeaving(this.#attention, ask);
    this.#questions.asked(answer);
    return answer;
  }

  /** V8's numbers for the thread's heap. Resolves when V8 can interrupt the thread. Undefined where Node cannot ask. */
  heapStatistics(): Promise<HeapStatistics> | undefined {
    const worker: (Worker & { getHeapStatistics?(): Promise<HeapStatistics> }) | undefined = this.#worker;
    return worker?.getHeapStatistics?.();
  }

  /** How long the thread's event loop has been idle, in ms since it started. */
  loopIdleMs(): number {
    return this.#worker?.performance.eventLoopUtilization().idle ?? 0;
  }

  loopTimes(): LoopTimes {
    const times = this.#worker?.performance.eventLoopUtilization();
    return { activeMs: times?.active ?? 0, idleMs: times?.idle ?? 0 };
  }

  /** The process may end before this thread does. */
  abandon(): void {
    this.#abandoned = true;
    this.takeMessages();
    this.#children.kill();
    this.#worker?.unref();
  }

  /** The process must not end before this thread does, as at the thread's start. */
  hold(): void {
    this.#abandoned = false;
    this.#worker?.ref();
  }

  /** Posts a control message, and wakes the thread if `words`, the slot it consumes, is given. */
  post(message: ToActor, words?: Int32Array, transfer: readonly Transferable[] = []): void {
    if (this.#exited) return;
    this.#port.postMessage(message, transfer);
    if (words !== undefined) new ConsumerState(words).controlPosted();
  }

  /**
   * Asks Node to end the thread, whatever it is doing; `onExit` follows. Asks again until the thread has ended, because
   * a request that arrives while the inspector evaluates in the thread ends only the evaluation.
   */
  terminate(): void {
    if (this.#exited) return;
    if (this.#ending) {
      if (this.#asking !== undefined) this.#end();
      return;
    }
    this.#ending = true;
    if (this.#process !== undefined) {
      this.#endProcess(this.#process.pid);
      return;
    }
    this.#questions.whenAnswered(() => this.#askToEnd(FIRST_AGAIN_MS));
  }

  /**
   * The thread ends with its process, whose end it has to read: else the process stays in the system's table until main
   * ends. It may be blocked in a call that the process has made.
   */
  #endProcess(pid: number): void {
    killGroup(pid);
    killProcess(pid);
    this.post({ type: "break_cycle", cycle: [] });
    this.#asking = setTimeout(() => this.#askToEnd(FIRST_AGAIN_MS), PROCESS_ENDS_MS).unref();
  }

  #end(): void {
    void this.#worker?.terminate();
    // Node's terminate() undoes an earlier unref().
    if (this.#abandoned) this.#worker?.unref();
  }

  #askToEnd(againMs: number): void {
    if (this.#exited) return;
    this.#end();
    const next = Math.min(2 * againMs, LAST_AGAIN_MS);
    this.#asking = setTimeout(() => this.#askToEnd(next), againMs).unref();
  }
}

function startWorker(options: ThreadOptions, workerData: BootData): Worker {
  const own = options.execArgv ?? [];
  const all = inheritedExecArgv().filter((arg) => !refusedInWorkers.has(arg));
  const inherited = own.some((arg) => PERMISSION.test(arg)) ? withoutTsx(all) : all;
  try {
    return new Worker(threadEntry(), {
      name: options.name,
      workerData,
      transferList: [workerData.port],
      env: workerEnv(options.env),
      resourceLimits: limitsFor(options.heapCapMb, options.headroomMb),
      execArgv: [...inherited, ...own],
    });
  } catch (error) {
    // Workers have the flags of V8 and of the whole process anyway, and Node refuses them in a worker's execArgv.
    const { code, message } = error as { code?: string; message: string };
    const refused = inherited.filter((arg) => message.includes(arg));
    if (code !== "ERR_WORKER_INVALID_EXEC_ARGV" || refused.length === 0) throw error;
    for (const arg of refused) refusedInWorkers.add(arg);
    return startWorker(options, workerData);
  }
}

const refusedInWorkers = new Set<string>();

/**
 * Main's flags without those for main's own program. Threads need its loaders and permission flags, and a worker's
 * explicit execArgv replaces all inherited flags.
 */
export function inheritedExecArgv(): string[] {
  const kept: string[] = [];
  const given = process.execArgv;
  for (let i = 0; i < given.length; i++) {
    const [flag] = given[i].split("=");
    if (OWN_PROGRAM.has(flag)) {
      if (TAKES_VALUE.has(flag) && !given[i].includes("=")) i++;
    } else {
      kept.push(given[i]);
    }
  }
  return kept;
}

const PERMISSION = /^--(?:experimental-)?permission$/;

/** tsx starts a thread and writes to a folder of its own. A thread with permissions may do neither. */
function withoutTsx(args: readonly string[]): string[] {
  const isTsx = (arg: string | undefined): boolean => arg !== undefined && /(?:^|[\\/=])tsx(?:[\\/]|$)/.test(arg);
  const loads = (arg: string): boolean => /^(?:-r|--require|--import|--loader|--experimental-loader)$/.test(arg);
  return args.filter((arg, i) => !isTsx(arg) && !(loads(arg) && isTsx(args[i + 1])));
}

const TAKES_VALUE = new Set(["-e", "--eval", "-p", "--print", "-pe", "--input-type"]);
const OWN_PROGRAM = new Set([...TAKES_VALUE, "-c", "--check", "-i", "--interactive", "--test", "--watch"]);

export function limitsFor(heapCapMb: number, headroomMb: number): ResourceLimits {
  return {
    maxOldGenerationSizeMb: heapCapMb + headroomMb,
    // Node's default of 48 MiB would let 500 small actors hold 24 GiB of garbage.
    maxYoungGenerationSizeMb: Math.max(2, Math.min(48, heapCapMb / 4)),
  };
}

/** The variables of a thread that starts now. */
export function threadEnv(env: ActorSpec["env"] = "none"): ThreadEnv {
  if (env === "none") return { inherited: false, variables: {} };
  const given = env === "inherit" ? process.env : env;
  const defined = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { inherited: env === "inherit", variables: Object.fromEntries(defined) };
}

/**
 * What `Worker` takes. Undefined has Node copy main's `process.env`; for an object it would refuse a `NODE_OPTIONS` with
 * flags that a worker cannot have, which main's may be.
 */
export function workerEnv({ inherited, variables }: ThreadEnv): Record<string, string> | undefined {
  return inherited ? undefined : variables;
}
