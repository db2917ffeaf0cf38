import type { MessagePort } from "node:worker_threads";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import type { ToMain } from "../protocol/port/messages.js";
import { noSender } from "../protocol/refs/no-sender.js";
import { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { ownCpuMs } from "./os-thread.js";

/** The ways out of this thread. Each reports its reason before the thread ends; the first report counts. */
export class ThreadExit {
  words: Int32Array | undefined;
  /** Sends what streams have taken, before the thread exits and that ends them. */
  flush: () => void = () => {};
  /** Gives back what came for the actor and its next thread needs. Before main hears of the exit. */
  giveBack: () => void = () => {};
  /** What has to end before this thread does; main limits the time for that. */
  first: (() => Promise<void>) | undefined;
  readonly #port: MessagePort;
  readonly #exit = process.exit.bind(process);
  #codec = new Codec(noSender);
  #reported = false;

  constructor(port: MessagePort) {
    this.#port = port;
    process.exit = ((code?: number) => {
      this.flush();
      this.#report({ kind: "exit_called", code: Number(code ?? process.exitCode ?? 0) });
      return this.#exit(code);
    }) as typeof process.exit;
    process.on("uncaughtException", (error: unknown) => this.exit({ kind: "error", error }));
  }

  use(codec: Codec): void {
    this.#codec = codec;
  }

  encode(value: unknown): ReturnType<typeof encodeForeign> {
    return encodeForeign(this.#codec, value);
  }

  post(message: ToMain, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer);
  }

  exit(reason: ExitReason): void {
    this.flush();
    this.#report(reason);
    this.#end();
  }

  /** Reports the reason, and goes on: something that this thread waits for is about to end. */
  announce(reason: ExitReason): void {
    this.#report(reason);
  }

  /** Ends the thread; main already has the reason. */
  leave(): void {
    this.#reported = true;
    this.giveBack();
    this.#countCpu();
    this.#end();
  }

  #end(): void {
    const { first } = this;
    this.first = undefined;
    if (first === undefined) this.#exit(0);
    else void first().then(() => this.#exit(0));
  }

  /** Now, because main cannot ask any more once it learns of the exit. */
  #countCpu(): void {
    if (this.words !== undefined) new ConsumerState(this.words).leaving(ownCpuMs());
  }

  #report(reason: ExitReason): void {
    if (this.#reported) return;
    this.#reported = true;
    this.giveBack();
    this.#countCpu();
    this.post({ type: "exiting", reason: this.encode(reason) });
  }
}
