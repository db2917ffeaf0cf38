import type { ActorRef } from "@mini-otp/runtime";
import type { Guests } from "@mini-otp/runtime/guests";
import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { Fence } from "../actor/is-held.js";
import type { Bucket } from "../engine/engine.js";
import { type GlobalRef, toWire } from "../gateway/references.js";
import type { Owner, Ownership } from "../nodes/ownership.js";
import { Door, type Doors } from "./door.js";
import type { Owners } from "./owners.js";

/** What was given up while the bucket did not answer is freed again so often. */
const FREE_EVERY_MS = 1000;

export interface HoldingHost {
  readonly bucket: Bucket;
  readonly ownership: Ownership;
  readonly owners: Owners;
  readonly guests: Guests;
  readonly doors: Doors;
  /** Ends it in order: what it has accepted is handled. Never rejects. */
  terminate(id: string): Promise<void>;
  kill(ref: ActorRef): void;
  monitor(ref: ActorRef, listener: (reason: ExitReason) => void): () => void;
  globalOf(ref: ActorRef): GlobalRef;
}

interface Tenure {
  readonly owner: Owner;
  readonly ref: ActorRef;
  readonly door: Door;
  readonly ended: Promise<void>;
}

/** A key of the bucket, and the actor that runs here while this node has it. */
export class Holding {
  readonly #host: HoldingHost;
  readonly #key: string;
  readonly #childId: string;
  readonly #ended: (reason: ExitReason) => void;
  #revision: number | undefined;
  #tenure: Tenure | undefined;
  /** It takes nothing more, and handles what it has taken. */
  #finishing: Tenure | undefined;
  /** Of one that was lost: another is not started beside it. */
  #ending: Promise<void> | undefined;

  /** The actor is the child `childId` of the cluster's; `ended` is told of an end that it was not brought to from here. */
  constructor(host: HoldingHost, key: string, childId: string, ended: (reason: ExitReason) => void) {
    this.#host = host;
    this.#key = key;
    this.#childId = childId;
    this.#ended = ended;
  }

  get isRunning(): boolean {
    return this.#tenure !== undefined;
  }

  /** Whether it is in the bucket as this node's, as far as is known. */
  get isHeld(): boolean {
    return this.#revision !== undefined;
  }

  /** It runs, and its lease is another or none. */
  get isLost(): boolean {
    const tenure = this.#tenure ?? this.#finishing;
    return tenure !== undefined && !this.#isOf(tenure.owner);
  }

  /**
   * Takes the key at this revision, and starts the actor. False when another was first. Rejects when the bucket does not answer,
   * and as `start`: then it is this node's, without an actor.
   */
  async take(
    revision: number | undefined,
    start: (fence: Fence) => Promise<ActorRef>,
    isWanted: () => boolean = () => true,
  ): Promise<boolean> {
    const { bucket, ownership, guests, doors, monitor } = this.#host;
    await this.#ending;
    const epoch = await ownership.epoch();
    const { owner } = ownership;
    const won = await bucket.write(this.#key, { ...owner, ref: null }, revision);
    if (won === undefined) return false;
    this.#revision = won;
    if (!isWanted()) return false;
    const ref = await start({ token: [epoch, won], until: ownership.until });
    const generation = `${epoch}.${won}`;
    const door = new Door(guests, ref, generation);
    const ended = new Promise<void>((resolve) => {
      monitor(ref, (reason) => {
        resolve();
        if (this.#tenure?.ref !== ref) return;
        this.#tenure = undefined;
        doors.close(this.#key, door);
        this.#ended(reason);
      });
    });
    this.#tenure = { owner, ref, door, ended };
    // Before others are told of it: their messages are faster than the answer to this write.
    doors.open(this.#key, door);
    const value = { ...owner, ref: toWire(this.#host.globalOf(ref)), generation };
    const told = this.#isOf(owner) ? await bucket.write(this.#key, value, won).catch(() => undefined) : undefined;
    if (told === undefined) this.lost();
    else this.#revision = told;
    return told !== undefined;
  }

  /** It ends at once: others may have it soon. */
  lost(): void {
    const tenure = this.#tenure ?? this.#finishing;
    this.#revision = undefined;
    if (tenure === undefined) return;
    this.#tenure = this.#finishing = undefined;
    this.#ending = tenure.ended;
    this.#host.doors.close(this.#key, tenure.door);
    this.#host.kill(tenure.ref);
  }

  /** It ends here in order: nothing more is taken, and what was taken is handled. The key stays this node's. Never rejects. */
  async finish(): Promise<void> {
    const tenure = this.#tenure;
    if (tenure === undefined) return;
    // From now on its senders keep what is refused, until another node has it.
    this.#host.doors.close(this.#key, tenure.door);
    this.#tenure = undefined;
    this.#finishing = tenure;
    const off = this.#host.owners.onChange(this.#key, () => {
      if (this.isLost) this.lost();
    });
    await this.#host.terminate(this.#childId);
    await tenure.ended;
    off();
    this.#finishing = undefined;
  }

  /** As `finish`, and then it is another's to take. Never rejects. */
  async giveBack(): Promise<void> {
    await this.finish();
    const revision = this.#revision;
    this.#revision = undefined;
    if (revision !== undefined) await this.#free(revision, this.#host.ownership.owner.term);
  }

  /** Else no other would run it for as long as this node lives: so it is tried until the bucket answers. */
  async #free(revision: number, term: number): Promise<void> {
    const { bucket, ownership } = this.#host;
    try {
      await bucket.remove(this.#key, revision);
    } catch {
      setTimeout(() => {
        // Taken again here, it has another revision, and nothing is removed.
        if (ownership.isHeld && ownership.owner.term === term) void this.#free(revision, term);
      }, FREE_EVERY_MS).unref();
    }
  }

  #isOf({ term }: Owner): boolean {
    const { ownership } = this.#host;
    return ownership.isHeld && ownership.owner.term === term;
  }
}
