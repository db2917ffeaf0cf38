import { deserialize, serialize } from "node:v8";
import { type ActorContext, ActorError, type ActorRef, isReplyError } from "@mini-otp/worker-host";
import type { EntityContext, EntityDefinition } from "./define-entity.js";
import type { Fence } from "./is-held.js";

/** What the store on main is called with. */
export interface Loaded {
  readonly revision: number;
  readonly bytes: Uint8Array | undefined;
}

/** What a shard's actor is started with. */
export interface ShardArgs {
  /** The URLs to try for the entity's module. */
  readonly entity: readonly string[];
  readonly shard: number;
  /** `forKey` leads to one of its entities. */
  readonly all: ActorRef;
  readonly store: ActorRef;
  readonly fence: Fence;
}

const MAX_STATE_BYTES = 512 * 1024;
const LONGEST_LOOK_MS = 60_000;

interface Life {
  readonly ctx: EntityContext;
  usedAt: number;
  isOver: boolean;
}

/** The entities of one shard that have a life now. */
export class Entities {
  readonly #definition: EntityDefinition;
  readonly #args: ShardArgs;
  readonly #actor: ActorContext<any>;
  readonly #lives = new Map<string, Life>();
  #handling: Life | undefined;

  constructor(definition: EntityDefinition, args: ShardArgs, actor: ActorContext<any>) {
    this.#definition = definition;
    this.#args = args;
    this.#actor = actor;
    const { passivateAfterMs } = definition;
    if (passivateAfterMs === Infinity) return;
    const lookEveryMs = Math.min(passivateAfterMs / 4, LONGEST_LOOK_MS);
    setInterval(() => this.#passivate(performance.now() - passivateAfterMs), lookEveryMs).unref();
  }

  get size(): number {
    return this.#lives.size;
  }

  async handle(method: string, given: readonly unknown[]): Promise<unknown> {
    const [id, ...args] = given;
    const { handlers } = this.#definition;
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (handler === undefined) throw this.#unknownMethod(id, method);
    return this.#in(id, (ctx) => handler(ctx, ...args));
  }

  async info(given: readonly unknown[]): Promise<void> {
    const [id, message] = given;
    const { info } = this.#definition;
    if (info === undefined) this.#actor.log.warn({ entity: id }, "a message to an entity without info is dropped");
    else await this.#in(id, (ctx) => info(ctx, message));
  }

  async #in(id: unknown, work: (ctx: EntityContext) => unknown): Promise<unknown> {
    if (typeof id !== "string") throw this.#unknownMethod(id, "");
    const life = this.#lives.get(id) ?? (await this.#begin(id));
    this.#handling = life;
    try {
      return await work(life.ctx);
    } catch (error) {
      if (!isReplyError(error)) life.isOver = true;
      throw error;
    } finally {
      this.#handling = undefined;
      life.usedAt = performance.now();
      if (life.isOver) this.#lives.delete(id);
    }
  }

  async #begin(id: string): Promise<Life> {
    const { init, store } = this.#definition;
    const loaded = store === "kv" ? await this.#ask<Loaded>("load", id) : undefined;
    const bytes = loaded?.bytes;
    const state = await init({ id, snapshot: bytes === undefined ? undefined : deserialize(bytes) });
    const life = { ctx: this.#contextOf(id, state, loaded?.revision), usedAt: 0, isOver: false };
    this.#lives.set(id, life);
    return life;
  }

  #contextOf(id: string, state: unknown, loaded: number | undefined): EntityContext {
    const actor = this.#actor;
    const { fence, all } = this.#args;
    let revision = loaded;
    // One after the other, though not waited for.
    let saving: Promise<unknown> = Promise.resolve();
    const save = async (bytes: Uint8Array): Promise<void> => {
      revision = await this.#ask<number>("save", id, revision, bytes);
    };
    let self: ActorRef | undefined;
    return {
      id,
      state,
      fence,
      log: actor.log.child({ entity: id }),
      get self() {
        self ??= all.forKey(id);
        return self;
      },
      get signal() {
        return actor.signal;
      },
      async save() {
        if (revision === undefined) throw withoutStore(id);
        // As it is now.
        const bytes = serialized(id, this.state);
        if (bytes.length > MAX_STATE_BYTES) throw tooLarge(id, bytes.length);
        const saved = saving.then(() => save(bytes));
        saving = saved.catch(() => {});
        await saved;
      },
      passivate: () => {
        const life = this.#lives.get(id);
        if (life === undefined) return;
        life.isOver = true;
        if (this.#handling !== life) this.#lives.delete(id);
      },
    };
  }

  #ask<T>(method: string, id: string, ...args: unknown[]): Promise<T> {
    const { store, shard, fence } = this.#args;
    return store.with({ timeoutMs: 10_000 }).call(method, shard, fence.token, id, ...args) as Promise<T>;
  }

  #passivate(before: number): void {
    for (const [id, life] of this.#lives) {
      if (life.usedAt < before && life !== this.#handling) this.#lives.delete(id);
    }
  }

  #unknownMethod(id: unknown, method: string): ActorError {
    const there = Object.keys(this.#definition.handlers).join(", ");
    const message = `id=${this.#actor.id} entity=${String(id).slice(0, 80)} method=${method}: there are: ${there}`;
    return new ActorError("ERR_UNKNOWN_METHOD", message, { id: this.#actor.id, method });
  }
}

function serialized(id: string, state: unknown): Uint8Array {
  try {
    return serialize(state);
  } catch (error) {
    const message = `save: entity ${id}: its state cannot be kept: ${(error as Error).message}`;
    throw new ActorError("ERR_NOT_CLONEABLE", message, { path: "state", cause: error });
  }
}

function withoutStore(id: string): ActorError {
  const message = `save: entity ${id} has no store; define it with store: "kv"`;
  return new ActorError("ERR_INVALID_OPTION", message, {
    function: "save",
    field: "store",
    value: "none",
    allowed: '"kv"',
  });
}

function tooLarge(id: string, bytes: number): ActorError {
  const message = `save: entity ${id}: its state has ${bytes} bytes; a store takes ${MAX_STATE_BYTES}`;
  return new ActorError("ERR_MESSAGE_TOO_LARGE", message, { id, bytes, limit: MAX_STATE_BYTES });
}
