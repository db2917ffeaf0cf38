import { type ActorRef, type ActorSpec, describeExit } from "@mini-otp/runtime";
import { moduleCandidates } from "@mini-otp/runtime/guests";
import { invalidOption } from "@mini-otp/worker-host/protocol/errors";
import type { Fence } from "../actor/is-held.js";
import { Holding, type HoldingHost } from "../children/holding.js";
import { hasLabels } from "../children/labels.js";
import { hexOf, ownedIn } from "../children/owners.js";
import type { KeptState } from "../engine/engine.js";
import { every, type Stop } from "../nodes/every.js";
import { EntityStore } from "./entity-store.js";
import { type Place, placed, Settling } from "./placement.js";
import type { FullShardsSpec } from "./shards-spec.js";

export interface ShardSetHost extends HoldingHost {
  readonly node: string;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: KeptState;
  /** Starts an actor, under a supervisor that does not restart it. */
  start(spec: Omit<ActorSpec, "kind">): Promise<ActorRef>;
  /** The reference to a shard, wherever it is: `forKey` leads to an entity. */
  all(shard: number): ActorRef;
  warn(facts: Record<string, unknown>, message: string): void;
}

const CHECK_ACTOR = new URL("../actor/entity-check.actor.js", import.meta.url);
const SHARD_ACTOR = new URL("../actor/shard.actor.js", import.meta.url);
/** Looks again so often, whatever it was told. */
const LOOK_EVERY_MS = 1000;
/** So many leave a node at a time. */
const MOVING_AT_ONCE = 4;
/** Others may come first now and then, but not always. */
const AGREE_TRIES = 8;
/** Between two tries to run a shard. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

interface Shard {
  readonly number: number;
  readonly key: string;
  readonly holding: Holding;
  /** It is being taken, or given back. */
  busy: Promise<unknown> | undefined;
  tries: number;
  notBefore: number;
}

/** Of one shard; without a number, of them all. */
export function shardKey(id: string, shard?: number): string {
  const all = `shard.${hexOf(id)}`;
  return shard === undefined ? all : `${all}.${shard}`;
}

/** This node's part in the shards of one id: it runs those that are placed here, and gives those away that are not any more. */
export class ShardSet {
  readonly #host: ShardSetHost;
  readonly #spec: FullShardsSpec;
  readonly #shards: Shard[];
  readonly #store: EntityStore;
  readonly #mayRun: boolean;
  readonly #prefix: string;
  readonly #ownPlace: string;
  readonly #settling: Settling;
  readonly #fences = new Map<number, Fence>();
  /** Given to another node that has not begun yet. */
  readonly #given = new Set<number>();
  #stopLooks: Stop = () => {};
  #off: () => void = () => {};
  #placing: Promise<void> | undefined;
  #leaving = false;
  #isLookDue = false;
  #firstError: unknown;

  constructor(host: ShardSetHost, spec: FullShardsSpec) {
    this.#host = host;
    this.#spec = spec;
    this.#mayRun = hasLabels(host.labels, spec.on);
    this.#prefix = `${shardKey(spec.id)}.at.`;
    this.#ownPlace = this.#prefix + host.node;
    this.#settling = new Settling(spec.settleMs);
    this.#shards = Array.from({ length: spec.shards }, (_, number) => this.#shard(number));
    this.#store = new EntityStore(host.guests, host.state, spec.id, (shard, [epoch, revision]) => {
      const token = this.#fences.get(shard)?.token;
      return host.ownership.isHeld && token?.[0] === epoch && token[1] === revision;
    });
  }

  /** Resolves when this node has taken what is placed here and free. Rejects as the first start that has failed. */
  async begin(): Promise<void> {
    try {
      await this.#begin();
    } catch (error) {
      await this.leave();
      throw error;
    }
  }

  async #begin(): Promise<void> {
    if (this.#mayRun) await this.#loadEntity();
    await this.#agree();
    if (this.#leaving) return;
    this.#off = this.#host.owners.onChangeOf(`${shardKey(this.#spec.id)}.`, () => this.#lookSoon());
    this.#stopLooks = every(LOOK_EVERY_MS, () => this.#look());
    if (!this.#mayRun) return;
    await this.#takePlace();
    this.#look();
    await Promise.all(this.#shards.map(({ busy }) => busy));
    if (this.#firstError !== undefined) throw this.#firstError;
  }

  stats(): { readonly held: number; readonly moving: number } {
    const held = this.#shards.filter(({ holding }) => holding.isRunning).length;
    const moving = this.#shards.filter(({ holding, busy }) => holding.isHeld && busy !== undefined).length;
    return { held, moving };
  }

  /** It takes nothing more, and hands over what it has. Never rejects. */
  async leave(): Promise<void> {
    this.#leaving = true;
    this.#stopLooks();
    await this.#placing;
    const place = this.#host.owners.entryOf(this.#ownPlace);
    if (place !== undefined) await this.#host.bucket.remove(place.key, place.revision).catch(() => false);
    await Promise.all(
      this.#shards.map(async ({ holding, busy }) => {
        await busy;
        await holding.giveBack();
      }),
    );
    this.#off();
    this.#store.close();
  }

  #shard(number: number): Shard {
    const { id } = this.#spec;
    const key = shardKey(id, number);
    const shard: Shard = {
      number,
      key,
      busy: undefined,
      tries: 0,
      notBefore: -Infinity,
      holding: new Holding(this.#host, key, childId(id, number), (reason) => {
        this.#fences.delete(number);
        if (this.#leaving) return;
        this.#host.warn({ shards: id, shard: number }, `a shard has ended: ${describeExit(reason)}`);
        this.#later(shard);
      }),
    };
    return shard;
  }

  /** Once, before a thread is started for each shard. Rejects with ERR_ACTOR_MODULE. */
  async #loadEntity(): Promise<void> {
    const id = childId(this.#spec.id, "entity");
    await this.#host.start(this.#actor(id, CHECK_ACTOR, {}));
    await this.#host.terminate(id);
  }

  /** How many shards there are is the same everywhere. */
  async #agree(): Promise<void> {
    const { bucket } = this.#host;
    const { id, shards } = this.#spec;
    const key = shardKey(id);
    for (let tries = 0; tries < AGREE_TRIES; tries++) {
      const entry = await bucket.read(key);
      const there = (entry?.value as { shards?: number } | undefined)?.shards;
      if (there === shards) return;
      if (there !== undefined && (await this.#isUsed(`${key}.`))) throw otherNumber(id, shards, there);
      if ((await bucket.write(key, { shards }, entry?.revision)) !== undefined) return;
    }
    throw new Error(`shards: id=${id}: other nodes say again and again how many there are`);
  }

  async #isUsed(prefix: string): Promise<boolean> {
    const { ownership, owners } = this.#host;
    for (const entry of owners.entriesOf(prefix)) {
      const owned = ownedIn(entry);
      if (owned !== undefined && !(await ownership.hasEnded(owned))) return true;
    }
    return false;
  }

  /** Others place shards here from now on. */
  async #takePlace(): Promise<void> {
    const { bucket, ownership, version } = this.#host;
    const entry = await bucket.read(this.#ownPlace);
    const value = { ...ownership.owner, version };
    const revision = await bucket.write(this.#ownPlace, value, entry?.revision);
    if (revision !== undefined) this.#host.owners.learn({ key: this.#ownPlace, value, revision });
  }

  /** Once for all that is told in a turn: a look is at every shard. */
  #lookSoon(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    setImmediate(() => this.#look());
  }

  #look(): void {
    this.#isLookDue = false;
    for (const { holding } of this.#shards) if (holding.isLost) holding.lost();
    if (this.#leaving || !this.#mayRun || !this.#host.ownership.isHeld) return;
    const places = this.#validPlaces();
    if (!places.some(({ node }) => node === this.#host.node)) {
      // Of a lease that was lost, or a bucket that was.
      this.#placing ??= this.#takePlace()
        .catch(() => {})
        .finally(() => {
          this.#placing = undefined;
        });
      return;
    }
    const now = performance.now();
    this.#noteChange(places, now);
    const plan = placed(this.#spec.id, this.#spec.shards, places);
    for (const number of this.#given) {
      const isThere = this.#host.owners.targetOf(this.#shards[number].key) !== undefined;
      if (isThere || plan[number] === this.#host.node) this.#given.delete(number);
    }
    const mayMove = this.#settling.mayMove(places, now);
    for (const shard of this.#shards) {
      if (shard.busy !== undefined) continue;
      if (plan[shard.number] === this.#host.node) this.#takeIfFree(shard, now);
      else if (shard.holding.isHeld) this.#giveIf(shard, mayMove);
    }
  }

  #validPlaces(): Place[] {
    const { owners, ownership } = this.#host;
    return owners.entriesOf(this.#prefix).flatMap((entry) => {
      const owned = ownedIn(entry);
      const { version } = (entry.value ?? {}) as { version?: unknown };
      if (owned === undefined || typeof version !== "string" || !ownership.isValid(owned.owner)) return [];
      return [{ node: owned.owner.node, version }];
    });
  }

  #noteChange(places: readonly Place[], now: number): void {
    const { settleMs } = this.#spec;
    if (this.#settling.saw(places, now) && settleMs < LOOK_EVERY_MS)
      setTimeout(() => this.#look(), settleMs + 1).unref();
  }

  #takeIfFree(shard: Shard, now: number): void {
    const { holding, key, notBefore } = shard;
    if (holding.isRunning || now < notBefore) return;
    const { owners, ownership } = this.#host;
    const entry = owners.entryOf(key);
    const owned = ownedIn(entry);
    // Its own of this term may be left of a write whose answer was lost, or of an actor that has ended.
    if (owned !== undefined && ownership.isOthers(owned.owner)) return;
    this.#work(shard, async () => {
      if (owned !== undefined && !(await ownership.hasEnded(owned))) return;
      const taken = await holding.take(
        entry?.revision,
        (fence) => this.#start(shard, fence),
        () => !this.#leaving,
      );
      if (taken) shard.tries = 0;
    });
  }

  #giveIf(shard: Shard, mayMove: boolean): void {
    const { number, holding } = shard;
    // What does not run here need not wait to run elsewhere.
    if (holding.isRunning && (!mayMove || this.#given.size >= MOVING_AT_ONCE)) return;
    this.#given.add(number);
    this.#work(shard, () => holding.giveBack());
  }

  #work(shard: Shard, work: () => Promise<unknown>): void {
    shard.busy = work()
      .catch((error: unknown) => {
        this.#later(shard);
        const { id } = this.#spec;
        this.#host.warn(
          { shards: id, shard: shard.number, err: error },
          "a shard does not start here; it is tried again",
        );
      })
      .finally(() => {
        shard.busy = undefined;
        if (!this.#leaving) this.#lookSoon();
      });
  }

  #later(shard: Shard): void {
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** shard.tries++, LONGEST_RETRY_MS);
    shard.notBefore = performance.now() + waitMs;
    setTimeout(() => this.#look(), waitMs + 1).unref();
  }

  async #start({ number }: Shard, fence: Fence): Promise<ActorRef> {
    this.#fences.set(number, fence);
    const all = this.#host.all(number);
    const args = { shard: number, all, store: this.#store.ref, fence };
    try {
      return await this.#host.start(this.#actor(childId(this.#spec.id, number), SHARD_ACTOR, args));
    } catch (error) {
      this.#firstError ??= error;
      throw error;
    }
  }

  #actor(id: string, actor: URL, args: object): Omit<ActorSpec, "kind"> {
    const { id: _, entity, shards: __, settleMs: ___, on: ____, ...of } = this.#spec;
    return { ...of, id, actor, args: { ...args, entity: moduleCandidates(entity) } };
  }
}

function childId(id: string, part: number | "entity"): string {
  return `${id}.${part}`;
}

function otherNumber(id: string, shards: number, there: number): Error {
  const allowed = `${there}, as on the other nodes`;
  const facts = { function: "shards", field: "shards", value: shards, allowed };
  return invalidOption(`shards: id=${id}: shards=${shards}, must be ${allowed}`, facts);
}
