import { type ChildProcess, fork } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { KILLED } from "../protocol/errors/exit-reason.js";
import type { ProcessOptions } from "../protocol/port/boot.js";
import { type Look, REQUESTS_FD, WATCHER_FD, type WatcherWord } from "../protocol/port/process.js";
import { frameOf } from "./frames.js";
import { killGroup } from "./kill-group.js";

/** After the exit, until what the process has written is read. Its own children may hold its output open. */
const LAST_WORDS_MS = 500;
/** What V8 says on stderr when it ends the process because of its limit. */
const OUT_OF_HEAP = /^FATAL ERROR: .*JavaScript heap out of memory/m;
const STDERR_TAIL = 8192;

export interface ChildProgramListener {
  onMessage(message: unknown): void;
  /** Its watcher ends it because of its memory. */
  onOverCap(reason: ExitReason): void;
  /**
   * It has ended, and so have the processes of its group. Nothing comes after this. `reason` is why it was killed; else
   * what it has died of.
   */
  onExit(reason: ExitReason, died: boolean): void;
}

/**
 * One child process, from start to exit. The only place that starts processes. A process is the head of a group, so that
 * what it starts ends with it. It ends by itself when this thread has ended: see watcher.ts.
 */
export class ChildProgram {
  /** 0 if the process could not be started. */
  readonly pid: number;
  readonly #options: ProcessOptions;
  readonly #listener: ChildProgramListener;
  readonly #child: ChildProcess | undefined;
  #hasEnded = false;
  /** Why this side or the watcher ends it. */
  #ordered: ExitReason | undefined;
  #lastErrors = "";

  /** `forward` takes its output. With `asks` it has a pipe for requests. */
  constructor(
    options: ProcessOptions,
    forward: (child: { readonly stdout: Readable; readonly stderr: Readable }) => void,
    listener: ChildProgramListener,
    asks = false,
  ) {
    this.#options = options;
    this.#listener = listener;
    let child: ChildProcess;
    try {
      child = start(options, asks);
    } catch (error) {
      this.pid = 0;
      this.#hasEnded = true;
      setImmediate(() => listener.onExit({ kind: "error", error }, false));
      return;
    }
    this.#child = child;
    this.pid = child.pid ?? 0;
    // Without a number the process could not be started, and there is no "exit". Else a message could not be sent, or a
    // signal: "exit" says what became of it.
    child.on("error", (error) => {
      if (this.pid === 0) this.#ended({ kind: "error", error }, false);
    });
    if (this.pid === 0) return;
    forward(child as { stdout: Readable; stderr: Readable });
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#lastErrors = (this.#lastErrors + chunk.toString("latin1")).slice(-STDERR_TAIL);
    });
    this.#listenToWatcher(child.stdio[WATCHER_FD] as Readable & Writable);
    child.on("message", (message) => {
      if (!this.#hasEnded) listener.onMessage(message);
    });
    child.on("exit", (code, signal) => {
      killGroup(this.pid);
      const ended = (): void => {
        clearTimeout(timer);
        this.#tellEnd(code, signal);
      };
      const timer = setTimeout(ended, LAST_WORDS_MS);
      // All that it has written is read.
      child.once("close", ended);
    });
  }

  /** The pipe for requests. */
  get requests(): (Readable & Writable) | undefined {
    return (this.#child?.stdio as readonly unknown[] | undefined)?.[REQUESTS_FD] as (Readable & Writable) | undefined;
  }

  post(message: object): void {
    // An error is that of a process that ends.
    if (!this.#hasEnded && this.#child?.connected === true) this.#child.send(message, () => {});
  }

  /** Has its watcher look into its main thread. */
  look(look: Look): void {
    if (!this.#hasEnded) (this.#child?.stdio[WATCHER_FD] as Writable | undefined)?.write(frameOf(look));
  }

  /** Ends it whatever it does, for this reason; `onExit` follows. */
  kill(reason: ExitReason = KILLED): void {
    if (this.#hasEnded) return;
    this.#ordered ??= reason;
    killGroup(this.pid);
    this.#child?.kill("SIGKILL");
  }

  #listenToWatcher(pipe: Readable & Writable): void {
    let text = "";
    pipe.on("error", () => {});
    pipe.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.endsWith("}") || this.#ordered !== undefined) return;
      const { usedMb } = JSON.parse(text) as WatcherWord;
      const { offHeapCapMb } = this.#options;
      const reason: ExitReason = { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb };
      this.#listener.onOverCap(reason);
      // The watcher does so too, in case that this thread is busy.
      this.kill(reason);
    });
  }

  #tellEnd(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#ordered !== undefined) return this.#ended(this.#ordered, false);
    const { heapCapMb } = this.#options;
    if (signal !== null && OUT_OF_HEAP.test(this.#lastErrors))
      return this.#ended({ kind: "heap_cap_exceeded", heapCapMb, usedMb: heapCapMb }, false);
    this.#ended({ kind: "crashed", signal, code }, true);
  }

  #ended(reason: ExitReason, died: boolean): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#listener.onExit(reason, died);
  }
}

function start({ file, env, execArgv }: ProcessOptions, asks: boolean): ChildProcess {
  return fork(fileURLToPath(file), [], {
    detached: process.platform !== "win32",
    env: { ...env },
    execArgv: [...execArgv],
    serialization: "advanced",
    stdio: ["ignore", "pipe", "pipe", "ipc", "pipe", ...(asks ? (["pipe"] as const) : [])],
  });
}
