import { ActorChild } from "../actor/actor-child.js";
import type { PoolChild } from "../pool/pool.js";
import type { RouterChild } from "../router/router.js";

/** A process that a reference can mean. */
export type Referable = ActorChild | RouterChild | PoolChild;

/** The actors, routers and pools of a system, by uid and by path. */
export class Directory {
  readonly #actors = new Map<number, ActorChild>();
  readonly #routers = new Map<number, RouterChild>();
  readonly #pools = new Map<number, PoolChild>();
  readonly #byPath = new Map<string, Referable>();

  get actors(): IterableIterator<ActorChild> {
    return this.#actors.values();
  }

  get actorCount(): number {
    return this.#actors.size;
  }

  get pools(): IterableIterator<PoolChild> {
    return this.#pools.values();
  }

  actor(uid: number): ActorChild | undefined {
    return this.#actors.get(uid);
  }

  router(uid: number): RouterChild | undefined {
    return this.#routers.get(uid);
  }

  pool(uid: number): PoolChild | undefined {
    return this.#pools.get(uid);
  }

  byUid(uid: number): Referable | undefined {
    return this.#actors.get(uid) ?? this.#routers.get(uid) ?? this.#pools.get(uid);
  }

  at(path: string): Referable | undefined {
    return this.#byPath.get(path);
  }

  actorAt(path: string): ActorChild | undefined {
    const child = this.at(path);
    return child instanceof ActorChild ? child : undefined;
  }

  addActor(actor: ActorChild): void {
    this.#actors.set(actor.slot.uid, actor);
    this.#byPath.set(actor.id, actor);
  }

  addRouter(router: RouterChild): void {
    this.#routers.set(router.slot.uid, router);
    this.#byPath.set(router.id, router);
  }

  addPool(pool: PoolChild): void {
    this.#pools.set(pool.uid, pool);
    this.#byPath.set(pool.id, pool);
  }

  /** Its spec is gone. */
  remove(uid: number, child: Referable): void {
    this.#actors.delete(uid);
    this.#routers.delete(uid);
    this.#pools.delete(uid);
    // A new child may have its path by now.
    if (this.#byPath.get(child.id) === child) this.#byPath.delete(child.id);
  }
}
