import { type ActorRef, isCleanExit, type ResourceContext } from "@mini-otp/runtime";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { every, type Stop } from "../nodes/every.js";
import { Holding, type HoldingHost } from "./holding.js";
import { hasLabels } from "./labels.js";
import { keyOf, ownedIn } from "./owners.js";
import { reportEnd } from "./report-end.js";
import type { SingletonSpec } from "./singleton-spec.js";

export interface ContenderHost extends HoldingHost {
  readonly labels: Readonly<Record<string, string>>;
  /** Starts the actor, under a supervisor that does not restart it. */
  start(spec: SingletonSpec, args: object): Promise<ActorRef>;
  /** The whole system stops: the actor may have been stopped before this child is. */
  isStopping(): boolean;
}

/** Looks again so often, whatever it was told. */
const LOOK_EVERY_MS = 1000;

/** One node's wish to run a singleton: waits until it is free, runs it while this node's lease is held. */
export class Contender {
  readonly #host: ContenderHost;
  readonly #spec: SingletonSpec;
  readonly #context: ResourceContext;
  readonly #stopLooks: Stop;
  readonly #off: () => void;
  readonly #mayRun: boolean;
  readonly #holding: Holding;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(host: ContenderHost, spec: SingletonSpec, context: ResourceContext) {
    this.#host = host;
    this.#spec = spec;
    this.#context = context;
    this.#mayRun = hasLabels(host.labels, spec.on);
    this.#holding = new Holding(host, keyOf(spec.id), spec.id, (reason) => {
      if (!(host.isStopping() && isCleanExit(reason))) reportEnd(context, spec.id, reason);
    });
    this.#off = host.owners.onChange(keyOf(spec.id), () => this.#look());
    this.#stopLooks = every(LOOK_EVERY_MS, () => this.#look());
    this.#look();
  }

  /** It is given back when it was stopped in order; after a crash this node keeps it, and starts it again. */
  async stop(reason: ExitReason): Promise<void> {
    await this.#close();
    if (isCleanExit(reason)) await this.#holding.giveBack();
    else await this.#holding.finish();
  }

  /** This node leaves: what was taken is handled, and what is refused from now on is the next one's. Never rejects. */
  async handOver(): Promise<void> {
    await this.#close();
    await this.#holding.giveBack();
  }

  async #close(): Promise<void> {
    this.#stopped = true;
    this.#stopLooks();
    this.#off();
    await this.#looking;
  }

  #look(): void {
    if (this.#holding.isLost) this.#holding.lost();
    if (this.#looking !== undefined || this.#stopped || this.#holding.isRunning || !this.#mayRun) return;
    if (this.#host.isStopping()) return;
    this.#looking = this.#contend()
      .catch(() => {
        // The bucket does not answer; it is looked again.
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  async #contend(): Promise<void> {
    const { bucket, ownership } = this.#host;
    const { id, args } = this.#spec;
    if (!ownership.isHeld) return;
    const entry = await bucket.read(keyOf(id));
    const owned = ownedIn(entry);
    if (owned !== undefined && !(await ownership.hasEnded(owned))) return;
    const start = async (fence: object): Promise<ActorRef> => {
      try {
        return await this.#host.start(this.#spec, { ...args, fence });
      } catch (error) {
        this.#context.fail(error);
        throw error;
      }
    };
    await this.#holding.take(entry?.revision, start, () => !this.#stopped);
  }
}
