import type { ActorRef, ActorSpec } from "@mini-otp/runtime";
import { ActorError } from "@mini-otp/worker-host/protocol/errors";

export interface OfferedHost {
  start(spec: Omit<ActorSpec, "kind">): Promise<ActorRef>;
  /** Never rejects. */
  terminate(id: string): Promise<void>;
  monitor(ref: ActorRef, listener: () => void): () => void;
}

export interface Offers {
  readonly node: string;
  readonly offers: Readonly<Record<string, URL>>;
  readonly allowStart: readonly string[];
}

/** What other nodes have started here. It ends with the connection to the node that supervises it. */
export class Offered {
  readonly #options: Offers;
  readonly #host: OfferedHost;
  readonly #started = new Map<string, Set<string>>();
  #last = 0;

  constructor(options: Offers, host: OfferedHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Rejects with ERR_NOT_ALLOWED, ERR_NOT_OFFERED, and as `startChild`. */
  async handle(node: string, method: string, args: unknown[], signal: AbortSignal): Promise<unknown> {
    const { allowStart } = this.#options;
    if (!allowStart.includes(node) && !allowStart.includes("*")) throw this.#notAllowed(node);
    const [first, ...rest] = args;
    if (method === "start") return this.#start(node, first, rest[0], signal);
    if (method === "stop") return this.#stop(node, String(first));
    throw new ActorError("ERR_UNKNOWN_METHOD", `node ${this.#options.node}: method=${method}: there are: start, stop`, {
      method,
    });
  }

  nodeDown(node: string): void {
    const started = this.#started.get(node) ?? [];
    this.#started.delete(node);
    for (const id of started) void this.#host.terminate(id);
  }

  async #start(node: string, offer: unknown, args: unknown, signal: AbortSignal): Promise<unknown> {
    const { offers } = this.#options;
    if (typeof offer !== "string" || !Object.hasOwn(offers, offer)) throw this.#notOffered(String(offer));
    const id = `${offer}-for-${node}-${++this.#last}`;
    const started = this.#started.get(node) ?? new Set();
    this.#started.set(node, started.add(id));
    try {
      const ref = await this.#host.start({ id, actor: offers[offer], args });
      // One that restarts often is started anew each time.
      this.#host.monitor(ref, () => started.delete(id));
      // The node that asked for it has given up, or is gone.
      if (signal.aborted || this.#started.get(node) !== started) {
        started.delete(id);
        await this.#host.terminate(id);
      }
      return { id, ref };
    } catch (error) {
      started.delete(id);
      throw error;
    }
  }

  async #stop(node: string, id: string): Promise<void> {
    // Its own only.
    if (this.#started.get(node)?.delete(id) === true) await this.#host.terminate(id);
  }

  #notAllowed(node: string): ActorError {
    const message = `node ${this.#options.node} lets node ${node} start nothing: it is not in allow.start`;
    return new ActorError("ERR_NOT_ALLOWED", message, { node: this.#options.node, by: node });
  }

  #notOffered(offer: string): ActorError {
    const { node, offers } = this.#options;
    const known = Object.keys(offers);
    const message = `node ${node} does not offer ${offer.slice(0, 80)}; it offers: ${known.join(", ") || "nothing"}`;
    return new ActorError("ERR_NOT_OFFERED", message, { node, offer });
  }
}
