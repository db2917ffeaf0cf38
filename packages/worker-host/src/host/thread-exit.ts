import type { MessagePort } from "node:worker_threads";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { ConsumerState } from "../protocol/memory/consumer-state.js";
import type { ToMain } from "../protocol/port/messages.js";
import type { Connection, Sender } from "../protocol/refs/actor-ref.js";
import { Codec } from "../protocol/values/codec.js";
import { encodeForeign } from "../protocol/values/encoded.js";
import { ownCpuMs } from "./os-thread.js";

/** For a codec before the thread is an actor, when references have nothing to send through yet. */
export const noSender = { connect: (): Connection => ({ id: "" }) } as unknown as Sender;

/** The ways out of this thread. Each reports its reason before the thread ends; the first report counts. */
export class ThreadExit {
  words: Int32Array | undefined;
  /** Gives back what came for the actor and its next thread needs. Before main hears of the exit. */
  giveBack: () => void = () => {};
  readonly #port: MessagePort;
  readonly #exit = process.exit.bind(process);
  #codec = new Codec(noSender);
  #reported = false;

  constructor(port: MessagePort) {
    this.#port = port;
    process.exit = ((code?: number) => {
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

  post(message: ToMain): void {
    this.#port.postMessage(message);
  }

  exit(reason: ExitReason): void {
    this.#report(reason);
    this.#exit(0);
  }

  /** Ends the thread; main already has the reason. */
  leave(): void {
    this.#reported = true;
    this.giveBack();
    this.#countCpu();
    this.#exit(0);
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
