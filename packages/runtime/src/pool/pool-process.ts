import { ChildProgram } from "@mini-otp/worker-host/process";
import { type ExitReason, KILLED } from "@mini-otp/worker-host/protocol/errors";
import {
  type FromPoolProcess,
  POOL_PROCESS,
  type PoolProcessData,
  type ToPoolProcess,
} from "@mini-otp/worker-host/protocol/port";
import { type Codec, decodeForeign } from "@mini-otp/worker-host/protocol/values";
import type { FullPoolSpec } from "../supervision/child-spec.js";
import { processOptions } from "../threads/process-options.js";
import { forwardOutput } from "../threads/thread-output.js";

export interface PoolProcessListener {
  onMessage(message: FromPoolProcess): void;
  /** Its watcher ends it because of its memory. */
  onOverCap(reason: ExitReason): void;
  /** It has ended, and so have the processes of its group. Nothing comes after this. */
  onExit(reason: ExitReason): void;
}

/** One process of a pool, from start to exit. */
export class PoolProcess {
  readonly #codec: Codec;
  readonly #listener: PoolProcessListener;
  readonly #program: ChildProgram;
  #leaving: Extract<FromPoolProcess, { type: "leaving" }> | undefined;

  constructor(spec: FullPoolSpec, boot: PoolProcessData, codec: Codec, listener: PoolProcessListener) {
    this.#codec = codec;
    this.#listener = listener;
    this.#program = new ChildProgram(processOptions(POOL_PROCESS, spec, spec.execArgv), forwardOutput, {
      onMessage: (message) => this.#take(message as FromPoolProcess),
      onOverCap: (reason) => listener.onOverCap(reason),
      onExit: (reason, died) => listener.onExit(died ? this.#reasonOf(reason) : reason),
    });
    this.post({ type: "boot", ...boot });
  }

  /** 0 if the process could not be started. */
  get pid(): number {
    return this.#program.pid;
  }

  post(message: ToPoolProcess): void {
    this.#program.post(message);
  }

  /** Ends it whatever it does, for this reason; `onExit` follows. */
  kill(reason: ExitReason = KILLED): void {
    this.#program.kill(reason);
  }

  #take(message: FromPoolProcess): void {
    if (message.type === "leaving") this.#leaving = message;
    else if (message.type === "stays") this.#leaving = undefined;
    this.#listener.onMessage(message);
  }

  #reasonOf(died: ExitReason): ExitReason {
    const leaving = this.#leaving;
    const { signal, code } = died as Extract<ExitReason, { kind: "crashed" }>;
    if (leaving === undefined || signal !== null) return died;
    if (leaving.error === undefined) return { kind: "exit_called", code: code ?? leaving.code };
    return { kind: "error", error: decodeForeign(this.#codec, leaving.error) };
  }
}
