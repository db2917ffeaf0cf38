import type { GlobalRef } from "./references.js";
import type { RemoteActor } from "./remote-actor.js";

type Which = Pick<GlobalRef, "incarnation" | "uid" | "keyHash">;
/** In the place of a router's key. */
const NO_KEY = -1;

/** What stands here for one node's actors: by incarnation and number, and of a router by the hash of its key. */
export class Proxies {
  readonly #byActor = new Map<string, Map<number, RemoteActor>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get({ incarnation, uid, keyHash = NO_KEY }: Which): RemoteActor | undefined {
    return this.#byActor.get(`${incarnation}/${uid}`)?.get(keyHash);
  }

  add(proxy: RemoteActor): void {
    const { incarnation, uid, keyHash = NO_KEY } = proxy.global;
    const actor = `${incarnation}/${uid}`;
    const ofActor = this.#byActor.get(actor);
    if (ofActor === undefined) this.#byActor.set(actor, new Map([[keyHash, proxy]]));
    else ofActor.set(keyHash, proxy);
    this.#size++;
  }

  /** What stands for an actor, with all keys of a router. */
  of(incarnation: string, uid: number): RemoteActor[] {
    return [...(this.#byActor.get(`${incarnation}/${uid}`)?.values() ?? [])];
  }

  remove({ global: { incarnation, uid, keyHash = NO_KEY } }: RemoteActor): void {
    const actor = `${incarnation}/${uid}`;
    const ofActor = this.#byActor.get(actor);
    if (ofActor?.delete(keyHash) !== true) return;
    this.#size--;
    if (ofActor.size === 0) this.#byActor.delete(actor);
  }

  /** Takes out what stands for actors of other incarnations; of all, without one. */
  takeOthers(incarnation?: string): RemoteActor[] {
    const others = [...this].filter(({ global }) => global.incarnation !== incarnation);
    for (const { global } of others) this.#byActor.delete(`${global.incarnation}/${global.uid}`);
    this.#size -= others.length;
    return others;
  }

  *[Symbol.iterator](): Generator<RemoteActor> {
    for (const ofActor of this.#byActor.values()) yield* ofActor.values();
  }
}
