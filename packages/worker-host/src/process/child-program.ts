import { type ChildProcess, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe } from "../protocol/errors/describe.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { KILLED } from "../protocol/errors/exit-reason.js";
import type { ProcessOptions } from "../protocol/port/boot.js";
import { type Look, ORDERS_FD, REQUESTS_FD, WATCHER_FD, type WatcherWord } from "../protocol/port/process.js";
import { FrameReader, frameOf } from "./frames.js";
import { killGroup } from "./kill-group.js";

/** After the exit, until what the process has written is read. Its own children may hold its output open. */
const LAST_WORDS_MS = 500;
/** What V8 says on stderr when it ends the process because of its limit. */
const OUT_OF_HEAP = /^FATAL ERROR: .*JavaScript heap out of memory/m;
const STDERR_TAIL = 8192;
/** A message is made in the process's memory, most of which is under its caps. */
const BESIDE_CAPS_MB = 64;
const BYTES_PER_MB = 1024 * 1024;
/** Of the watcher's word. */
const WORD_CHARS = 200;

export interface ChildProgramListener {
  /** What it throws ends the process: it has said what none says that runs the runtime's code. */
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
  /** What it has written may still come. */
  #hasExited = false;
  /** Why this side or the watcher ends it. */
  #ordered: ExitReason | undefined;
  #lastErrors = "";
  #broken: Error | undefined;

  /** `forward` takes its output. */
  constructor(
    options: ProcessOptions,
    forward: (child: { readonly stdout: Readable; readonly stderr: Readable }) => void,
    listener: ChildProgramListener,
  ) {
    this.#options = options;
    this.#listener = listener;
    let child: ChildProcess;
    try {
      child = start(options);
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
    this.#listenToWatcher(this.#pipe(WATCHER_FD));
    this.#listenToProcess(this.#pipe(REQUESTS_FD));
    this.#pipe(ORDERS_FD).resume();
    for (const fd of [ORDERS_FD, WATCHER_FD, REQUESTS_FD]) {
      // What is written to a process that ends is lost: its exit says why.
      this.#pipe(fd).on("error", () => {});
      // A process that ends closes its pipes, and its exit follows.
      this.#pipe(fd).once("close", () => {
        if (!this.#hasExited) setTimeout(() => this.#breaks("has closed a pipe"), LAST_WORDS_MS).unref();
      });
    }
    child.on("exit", (code, signal) => {
      this.#hasExited = true;
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

  post(message: object): void {
    if (!this.#hasEnded) this.#pipe(ORDERS_FD).write(frameOf(message));
  }

  /** What it blocks for. */
  answer(answer: object): void {
    if (!this.#hasEnded) this.#pipe(REQUESTS_FD).write(frameOf(answer));
  }

  /** Has its watcher look into its main thread. */
  look(look: Look): void {
    if (!this.#hasEnded) this.#pipe(WATCHER_FD).write(frameOf(look));
  }

  /** Ends it whatever it does, for this reason; `onExit` follows. */
  kill(reason: ExitReason = KILLED): void {
    if (this.#hasEnded) return;
    this.#ordered ??= reason;
    killGroup(this.pid);
    this.#child?.kill("SIGKILL");
  }

  #pipe(fd: number): Readable & Writable {
    return (this.#child as ChildProcess).stdio[fd] as Readable & Writable;
  }

  #listenToProcess(pipe: Readable & Writable): void {
    const { heapCapMb, offHeapCapMb } = this.#options;
    const reader = new FrameReader(
      (message) => {
        // Once it has broken the rules nothing of it counts.
        if (!this.#hasEnded && this.#broken === undefined) this.#listener.onMessage(message);
      },
      (heapCapMb + offHeapCapMb + BESIDE_CAPS_MB) * BYTES_PER_MB,
    );
    pipe.on("data", (chunk: Buffer) => {
      if (this.#broken !== undefined) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#breaks(`has written what is no message: ${describe(error)}`);
      }
    });
  }

  #listenToWatcher(pipe: Readable & Writable): void {
    let text = "";
    pipe.on("data", (chunk: Buffer) => {
      if (this.#ordered !== undefined) return;
      text += chunk.toString("latin1");
      if (!text.endsWith("}") && text.length < WORD_CHARS) return;
      const usedMb = usedMbIn(text);
      if (usedMb === undefined) return this.#breaks("has written what its watcher does not");
      const { offHeapCapMb } = this.#options;
      const reason: ExitReason = { kind: "off_heap_cap_exceeded", offHeapCapMb, usedMb };
      this.#listener.onOverCap(reason);
      // The watcher does so too, in case that this thread is busy.
      this.kill(reason);
    });
  }

  /** The user's code has written to pipes that are not its own, or memory has been overwritten. */
  #breaks(what: string): void {
    if (this.#hasExited || this.#ordered !== undefined) return;
    this.#broken = new Error(`its process ${what}`);
    this.kill({ kind: "error", error: this.#broken });
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

function start({ file, env, execArgv }: ProcessOptions): ChildProcess {
  return spawn(process.execPath, [...execArgv, fileURLToPath(file)], {
    detached: process.platform !== "win32",
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
  });
}

function usedMbIn(text: string): number | undefined {
  try {
    const { usedMb } = JSON.parse(text) as Partial<WatcherWord>;
    return typeof usedMb === "number" ? usedMb : undefined;
  } catch {
    return undefined;
  }
}
