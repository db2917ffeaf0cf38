import type { MessagePort } from "node:worker_threads";
import type { Transferable } from "../protocol/refs/actor-types.js";

/** A request of comlink, as `expose` expects it. */
export interface ComlinkRequest {
  readonly type: string;
  readonly path: readonly string[];
  readonly argumentList: readonly { readonly type: "RAW"; readonly value: unknown }[];
  readonly value?: { readonly type: "RAW"; readonly value: unknown };
}

/** An answer of comlink, and the objects in it that change hands. */
export interface ComlinkAnswer {
  readonly type: string;
  readonly name?: string;
  readonly value: unknown;
  readonly transfer: readonly Transferable[];
}

type Listener = (event: { readonly data: unknown; readonly origin: string }) => void;

let portToMain: MessagePort | null = null;

/** Keeps the port that Node gave this thread. The runtime itself uses another one. */
export function keepPortToMain(port: MessagePort | null): void {
  portToMain = port;
}

/**
 * The endpoints on which a module may `expose` an object in a worker: its global scope, as in a browser, or the port
 * that Node gives it, as it is or through comlink's adapter. Once installed, they get their requests from `request`.
 */
export class ComlinkEndpoints {
  readonly #listeners = new Set<Listener>();
  readonly #waiting = new Map<string, (answer: ComlinkAnswer) => void>();
  #requests = 0;

  get exposed(): boolean {
    return this.#listeners.size > 0;
  }

  /** Resolves with comlink's answer, also when that carries a thrown value. */
  request(request: ComlinkRequest): Promise<ComlinkAnswer> {
    const id = String(++this.#requests);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      for (const listener of this.#listeners) listener({ data: { id, ...request }, origin: "" });
    });
  }

  /** From now on an object that this thread exposes is exposed here. */
  install(): void {
    const endpoint = {
      addEventListener: (type: string, listener: unknown) => {
        if (type === "message") this.#listeners.add(callable(listener));
      },
      removeEventListener: () => {},
      postMessage: (answer: { id: string } & Omit<ComlinkAnswer, "transfer">, transfer: Transferable[] = []) => {
        const settle = this.#waiting.get(answer.id);
        this.#waiting.delete(answer.id);
        settle?.({ type: answer.type, name: answer.name ?? "", value: answer.value, transfer });
      },
    };
    Object.assign(globalThis, endpoint);
    if (portToMain === null) return;
    Object.assign(portToMain, endpoint, {
      on: (type: string, listener: (data: unknown) => void) => {
        if (type === "message") this.#listeners.add(({ data }) => listener(data));
        return portToMain;
      },
      start: () => {},
    });
  }
}

function callable(listener: unknown): Listener {
  if (typeof listener === "function") return listener as Listener;
  return (event) => (listener as { handleEvent: Listener }).handleEvent(event);
}
