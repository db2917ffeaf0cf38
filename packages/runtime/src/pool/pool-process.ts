import { type ChildProcess, fork } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import {
  type FromPoolProcess,
  POOL_PROCESS,
  type PoolProcessData,
  type ToPoolProcess,
  WATCHER_FD,
  type WatcherWord,
} from "@mini-otp/worker-host/protocol/port";
import { type Codec, decodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import { inheritedExecArgv, limitsFor, threadEnv } from "../threads/actor-thread.js";
import { forwardOutput } from "../threads/thread-output.js";

/** Of main's flags, those that would have the process take main's debugger port. */
const INSPECTS = /^--(?:inspect|debug-port)/;
/** A thread or a process that runs nothing has so much of a heap. */
const OWN_HEAP_MB = 8;
/** After the exit, until what the process has written is read. Its own children may hold its output open. */
const LAST_WORDS_MS = 500;
/** What V8 says on stderr when it ends the process because of its limit. */
const OUT_OF_HEAP = /^FATAL ERROR: .*JavaScript heap out of memory/m;
const STDERR_TAIL = 8192;

export interface PoolProcessListener {
  onMessage(message: FromPoolProcess): void;
  /** Its watcher ends it because of its memory. */
  onOverCap(reason: ExitReason): void;
  /** It has ended, and so have the processes of its group. Nothing comes after this. */
  onExit(reason: ExitReason): void;
}

/**
 * One process of a pool, from start to exit. The only place that starts processes. A process is the head of a group, so
 * that what it starts ends with it. It ends by itself when main has ended: see watcher.ts of worker-host.
 */
export class PoolProcess {
  /** 0 if the process could not be started. */
  readonly pid: number;
  readonly #spec: FullPoolSpec;
  readonly #codec: Codec;
  readonly #listener: PoolProcessListener;
  readonly #child: ChildProcess | undefined;
  #hasEnded = false;
  /** Why main or the watcher ends it. */
  #ordered: ExitReason | undefined;
  #leaving: Extract<FromPoolProcess, { type: "leaving" }> | undefined;
  #lastErrors = "";

  constructor(spec: FullPoolSpec, boot: PoolProcessData, codec: Codec, listener: PoolProcessListener) {
    this.#spec = spec;
    this.#codec = codec;
    this.#listener = listener;
    let child: ChildProcess;
    try {
      child = start(spec);
    } catch (error) {
      this.pid = 0;
      this.#hasEnded = true;
      setImmediate(() => listener.onExit({ kind: "error", error }));
      return;
    }
    this.#child = child;
    this.pid = child.pid ?? 0;
    // Without a number the process could not be started, and there is no "exit". Else a message could not be sent, or a
    // signal: "exit" says what became of it.
    child.on("error", (error) => {
      if (this.pid === 0) this.#ended({ kind: "error", error });
    });
    if (this.pid === 0) return;
    forwardOutput(child as { stdout: Readable; stderr: Readable });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#lastErrors = (this.#lastErrors + chunk.toString("latin1")).slice(-STDERR_TAIL);
    });
    this.#listenToWatcher(child.stdio[WATCHER_FD] as Readable & Writable);
    child.on("message", (message) => this.#take(message as FromPoolProcess));
    child.on("exit", (code, signal) => {
      this.#signalGroup();
      const ended = (): void => {
        clearTimeout(timer);
        this.#ended(this.#reasonOf(code, signal));
      };
      const timer = setTimeout(ended, LAST_WORDS_MS);
      // All that it has written is read.
      child.once("close", ended);
    });
    this.post({ type: "boot", ...boot });
  }

  post(message: ToPoolProcess): void {
    // An error is that of a process that ends.
    if (!this.#hasEnded && this.#child?.connected === true) this.#child.send(message, () => {});
  }

  /** Ends it whatever it does, for this reason; `onExit` follows. */
  kill(reason: ExitReason = KILLED): void {
    if (this.#hasEnded) return;
    this.#ordered ??= reason;
    this.#signalGroup();
    this.#child?.kill("SIGKILL");
  }

  #take(message: FromPoolProcess): void {
    if (message.type === "leaving") this.#leaving = message;
    else if (message.type === "stays") this.#leaving = undefined;
    if (!this.#hasEnded) this.#listener.onMessage(message);
  }

  #listenToWatcher(pipe: Readable & Writable): void {
    let text = "";
    pipe.on("error", () => {});
    pipe.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.endsWith("}") || this.#ordered !== undefined) return;
      const { usedMb } = JSON.parse(text) as WatcherWord;
      const reason: ExitReason = { kind: "off_heap_cap_exceeded", offHeapCapMb: this.#spec.offHeapCapMb, usedMb };
      this.#listener.onOverCap(reason);
      // The watcher does so too, in case that main is busy.
      this.kill(reason);
    });
  }

  #reasonOf(code: number | null, signal: NodeJS.Signals | null): ExitReason {
    if (this.#ordered !== undefined) return this.#ordered;
    const { heapCapMb } = this.#spec;
    if (signal !== null && OUT_OF_HEAP.test(this.#lastErrors))
      return { kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb };
    const leaving = this.#leaving;
    if (leaving === undefined || signal !== null) return { kind: "crashed", signal, code };
    if (leaving.error === undefined) return { kind: "exit_called", code: code ?? leaving.code };
    return { kind: "error", error: decodeForeign(this.#codec, leaving.error) };
  }

  #ended(reason: ExitReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.onExit(reason);
  }

  /** The process, and what it has started. */
  #signalGroup(): void {
    if (process.platform === "win32" || this.pid === 0) return;
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // None of the group is left.
    }
  }
}

function start({ heapCapMb, env, execArgv = [] }: FullPoolSpec): ChildProcess {
  // V8's own limit is the cap here: reaching it ends this process alone.
  const { maxYoungGenerationSizeMb = 48 } = limitsFor(heapCapMb, 0);
  const limits = [
    `--max-old-space-size=${Math.ceil(heapCapMb + OWN_HEAP_MB)}`,
    // The young generation has three of these.
    `--max-semi-space-size=${Math.max(1, Math.round(maxYoungGenerationSizeMb / 3))}`,
  ];
  return fork(fileURLToPath(POOL_PROCESS), [], {
    detached: process.platform !== "win32",
    env: threadEnv(env).variables,
    execArgv: [...inheritedExecArgv().filter((arg) => !INSPECTS.test(arg)), ...execArgv, ...limits],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc", "pipe"],
  });
}
