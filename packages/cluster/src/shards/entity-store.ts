import type { Guest, GuestMessage, Guests } from "@mini-otp/runtime/guests";
import { ActorError, SHUTDOWN } from "@mini-otp/worker-host/protocol/errors";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { Loaded } from "../actor/entities.js";
import { hexOf } from "../children/owners.js";
import type { KeptState } from "../engine/engine.js";

type Token = readonly [epoch: number, revision: number];

/** What is in an entity's key. */
interface Kept {
  /** Of the owner that has written it last. */
  readonly token: Token;
  /** In base64; null where nothing was saved yet. */
  readonly data: string | null;
}

/** Others may come first now and then, but not always. */
const TRIES = 8;
const RING_BYTES = 4 * 1024 * 1024;

/**
 * What the threads of this node's shards load and save, by compare-and-set at the revision that they know. An owner's first act
 * is to write the key: then each former owner's revision is an old one.
 */
export class EntityStore {
  readonly #state: KeptState;
  readonly #prefix: string;
  readonly #id: string;
  readonly #isOwner: (shard: number, token: Token) => boolean;
  readonly #guest: Guest;

  /** `isOwner`: as far as this node knows. */
  constructor(guests: Guests, state: KeptState, id: string, isOwner: (shard: number, token: Token) => boolean) {
    this.#state = state;
    this.#id = id;
    this.#prefix = `e.${hexOf(id)}.`;
    this.#isOwner = isOwner;
    this.#guest = guests.open({
      id: `shards:${id}:store`,
      mailboxBytes: RING_BYTES,
      capacity: 1024,
      leavesWith: 0,
      onMessage: (message) => void this.#handle(message),
      signals: { watched: () => {}, linked: () => {}, unlinked: () => {}, exit: () => {} },
    });
  }

  get ref(): ActorRef {
    return this.#guest.ref;
  }

  close(): void {
    this.#guest.slot.close(SHUTDOWN);
    this.#guest.dispose(SHUTDOWN);
  }

  async #handle({ method, args, caller, undecodable }: GuestMessage): Promise<void> {
    if (caller === undefined) return;
    try {
      if (undecodable !== undefined) throw undecodable.error;
      const [shard, token, entity, revision, bytes] = args as [number, Token, string, number, Uint8Array];
      if (!this.#isOwner(shard, token)) throw leaseLost(this.#id, entity);
      const value =
        method === "load" ? await this.#load(token, entity) : await this.#save(token, entity, revision, bytes);
      this.#guest.slot.answer(caller, "reply", value);
    } catch (error) {
      this.#guest.slot.answer(caller, "failure", error);
    }
  }

  async #load(token: Token, entity: string): Promise<Loaded> {
    const key = this.#keyOf(entity);
    for (let tries = 0; tries < TRIES; tries++) {
      const entry = await this.#ask(() => this.#state.read(key));
      const kept = keptIn(entry?.value);
      if (kept !== undefined && isLater(kept.token, token)) throw leaseLost(this.#id, entity);
      const data = kept?.data ?? null;
      const revision = await this.#ask(() => this.#state.write(key, { token, data }, entry?.revision));
      if (revision === undefined) continue;
      return { revision, bytes: data === null ? undefined : new Uint8Array(Buffer.from(data, "base64")) };
    }
    throw leaseLost(this.#id, entity);
  }

  async #save(token: Token, entity: string, known: number, bytes: Uint8Array): Promise<number> {
    const key = this.#keyOf(entity);
    const value: Kept = { token, data: Buffer.from(bytes).toString("base64") };
    const revision = await this.#ask(() => this.#state.write(key, value, known));
    if (revision !== undefined) return revision;
    const entry = await this.#ask(() => this.#state.read(key));
    const kept = keptIn(entry?.value);
    // One of this owner's own, whose answer was lost.
    const isOwn = kept !== undefined && !isLater(kept.token, token) && !isLater(token, kept.token);
    const again = isOwn ? await this.#ask(() => this.#state.write(key, value, entry?.revision)) : undefined;
    if (again === undefined) throw leaseLost(this.#id, entity);
    return again;
  }

  #keyOf(entity: string): string {
    return this.#prefix + hexOf(entity);
  }

  async #ask<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      const message = `shards ${this.#id}: the bucket of their states does not answer: ${(error as Error).message}`;
      const needed = "the bucket, or the permission to make it";
      throw new ActorError("ERR_CLUSTER_ENGINE", message, { found: "no answer", needed, cause: error });
    }
  }
}

function isLater([epoch, revision]: Token, [thanEpoch, than]: Token): boolean {
  return epoch > thanEpoch || (epoch === thanEpoch && revision > than);
}

/** Undefined for what is none. */
function keptIn(value: unknown): Kept | undefined {
  const { token, data } = (value ?? {}) as Partial<Kept>;
  const isOne = Array.isArray(token) && token.length === 2 && token.every(Number.isSafeInteger);
  return isOne && (data === null || typeof data === "string") ? { token: token as unknown as Token, data } : undefined;
}

function leaseLost(id: string, entity: string): ActorError {
  const message = `shards ${id}: entity ${entity}: another node owns its shard by now; nothing was changed`;
  return new ActorError("ERR_LEASE_LOST", message, { name: `${id}/${entity}` });
}
