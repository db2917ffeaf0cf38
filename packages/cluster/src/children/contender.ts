import { type ActorRef, isCleanExit, type ResourceContext } from "@mini-otp/runtime";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Bucket } from "../engine/engine.js";
import { type GlobalRef, toWire } from "../gateway/references.js";
import type { Ownership } from "../nodes/ownership.js";
import { keyOf, type Owners, ownedIn } from "./owners.js";
import { reportEnd } from "./report-end.js";
import type { Fence, SingletonSpec } from "./singleton-spec.js";

export interface ContenderHost {
  readonly bucket: Bucket;
  readonly ownership: Ownership;
  readonly owners: Owners;
  readonly labels: Readonly<Record<string, string>>;
  /** Starts the actor, under a supervisor that does not restart it. */
  start(spec: SingletonSpec, args: object): Promise<ActorRef>;
  terminate(id: string): Promise<void>;
  kill(ref: ActorRef): void;
  monitor(ref: ActorRef, listener: (reason: ExitReason) => void): () => void;
  globalOf(ref: ActorRef): GlobalRef;
}

/** Looks again so often, whatever it was told. */
const LOOK_EVERY_MS = 1000;

/** One node's wish to run a singleton: waits until it is free, runs it while this node's lease is held. */
export class Contender {
  readonly #host: ContenderHost;
  readonly #spec: SingletonSpec;
  readonly #context: ResourceContext;
  readonly #timer: NodeJS.Timeout;
  readonly #off: () => void;
  readonly #mayRun: boolean;
  #running: { readonly ref: ActorRef; readonly end: () => void } | undefined;
  #revision: number | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(host: ContenderHost, spec: SingletonSpec, context: ResourceContext) {
    this.#host = host;
    this.#spec = spec;
    this.#context = context;
    this.#mayRun = Object.entries(spec.on ?? {}).every(([label, value]) => host.labels[label] === value);
    this.#off = host.owners.onChange(() => this.#look());
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    this.#look();
  }

  /** It is given back when it was stopped in order; after a crash this node keeps it, and starts it again. */
  async stop(reason: ExitReason): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    this.#off();
    await this.#looking;
    const running = this.#running;
    this.#running = undefined;
    running?.end();
    if (running !== undefined) await this.#host.terminate(this.#spec.id);
    const revision = this.#revision;
    if (!isCleanExit(reason) || revision === undefined) return;
    await this.#host.bucket.remove(keyOf(this.#spec.id), revision).catch(() => false);
  }

  #look(): void {
    if (this.#running !== undefined && !this.#host.ownership.isHeld) this.#lost(this.#running);
    if (this.#looking !== undefined || this.#stopped || this.#running !== undefined || !this.#mayRun) return;
    this.#looking = this.#contend()
      .catch(() => {
        // The bucket does not answer; it is looked again.
      })
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** At once: others may have it soon. */
  #lost({ ref, end }: { readonly ref: ActorRef; readonly end: () => void }): void {
    this.#running = undefined;
    this.#revision = undefined;
    end();
    this.#host.kill(ref);
  }

  async #contend(): Promise<void> {
    const { bucket, ownership } = this.#host;
    const { id, args } = this.#spec;
    if (!ownership.isHeld) return;
    const key = keyOf(id);
    const entry = await bucket.read(key);
    const owned = ownedIn(entry);
    const isOthers = owned !== undefined && owned.owner.node !== ownership.owner.node;
    if (isOthers && ownership.isValid(owned.owner)) return;
    const epoch = await ownership.epoch();
    const { owner } = ownership;
    const won = await bucket.write(key, { ...owner, ref: null }, entry?.revision);
    if (won === undefined || this.#stopped) return;
    this.#revision = won;
    const fence: Fence = { token: [epoch, won] };
    let ref: ActorRef;
    try {
      ref = await this.#host.start(this.#spec, { ...args, fence });
    } catch (error) {
      this.#context.fail(error);
      return;
    }
    const end = this.#host.monitor(ref, (reason) => {
      this.#running = undefined;
      reportEnd(this.#context, id, reason);
    });
    this.#running = { ref, end };
    const isSame = ownership.isHeld && ownership.owner.term === owner.term;
    const told = isSame ? await bucket.write(key, { ...owner, ref: toWire(this.#host.globalOf(ref)) }, won) : undefined;
    if (told !== undefined) this.#revision = told;
    else if (this.#running !== undefined) this.#lost(this.#running);
  }
}
