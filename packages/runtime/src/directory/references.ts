import { ActorError } from "@mini-otp/worker-host/protocol/errors";
import {
  type ActorRef,
  checkedReference,
  type MemberResult,
  noproc,
  type PoolRef,
  type RouterRef,
} from "@mini-otp/worker-host/protocol/refs";
import { ActorChild } from "../actor/actor-child.js";
import type { ActorTraces } from "../introspection/actor-traces.js";
import {
  type Asking,
  isLightReference,
  type LightActors,
  requireNoPartition,
  requireOwnThread,
} from "../partitions/light-actors.js";
import type { PoolChild } from "../pool/pool.js";
import { RouterChild } from "../router/router.js";
import type { ActorStats } from "../stats/actor-stats.js";
import type { PoolStats } from "../stats/pool-stats.js";
import type { RouterStats } from "../stats/router-stats.js";

/** The answer of an administrative request: `T` for an actor, one `T` per member for a router. */
export type OfEach<R, T> = 0 extends 1 & R ? any : R extends RouterRef ? MemberResult<T>[] : T;

/** The answer of `stats`. */
export type StatsOf<R> = 0 extends 1 & R
  ? ActorStats
  : R extends RouterRef
    ? RouterStats
    : R extends PoolRef
      ? PoolStats
      : ActorStats;

/** What main can ask of an actor, with a thread of its own or a light one. */
export interface Asked {
  readonly introspection: Asking;
}

type MeantBy = (ref: ActorRef | PoolRef) => ActorChild | RouterChild | PoolChild | undefined;

/** Finds the process that a user's reference means, and refuses references that a request cannot use. */
export class References {
  readonly #meantBy: MeantBy;
  readonly #lights: LightActors;
  readonly #whyGone: () => string | undefined;

  /** `whyGone` says why there is none any more, where that is known. */
  constructor(meantBy: MeantBy, lights: LightActors, whyGone: () => string | undefined) {
    this.#meantBy = meantBy;
    this.#lights = lights;
    this.#whyGone = whyGone;
  }

  /** Throws ERR_NOPROC for a process that is gone for good, and TypeError for a value that is no reference. */
  find(ref: unknown, what: string): ActorChild | RouterChild | PoolChild {
    const checked = checkedReference(ref as ActorRef | PoolRef, what);
    requireOwnThread(checked, what);
    const found = this.#meantBy(checked);
    if (found === undefined) throw noproc(checked, what, this.#whyGone());
    return found;
  }

  /** Throws ERR_NOT_AN_ACTOR for a router and a pool, and otherwise as `find` does. */
  actor(ref: unknown, what: string): ActorChild {
    const found = this.find(ref, what);
    if (found instanceof ActorChild) return found;
    throw notAnActor(found, what);
  }

  /** Throws ERR_NOT_AN_ACTOR for a pool and for a partition of light actors, and otherwise as `find` does. */
  actorOrRouter(ref: unknown, what: string): ActorChild | RouterChild {
    const found = this.find(ref, what);
    if (found instanceof ActorChild) return requireNoPartition(found, what);
    if (found instanceof RouterChild) return found;
    throw notAnActor(found, what);
  }

  /** Asks an actor, or every member of a router. Rejects as an actor rejects; a member's rejection is a result. */
  async ask<T>(ref: unknown, what: string, ask: (actor: Asked) => Promise<T>): Promise<T | MemberResult<T>[]> {
    if (isLightReference(ref)) return ask(this.#light(ref, what));
    const found = this.actorOrRouter(ref, what);
    return found instanceof ActorChild ? ask(found) : this.#askEach(found, what, ask);
  }

  /** Tells an actor, or every member of a router. Rejects with the first failure, after all members were told. */
  async tell(ref: unknown, what: string, tell: (actor: Asked) => Promise<unknown>): Promise<void> {
    if (isLightReference(ref)) {
      await tell(this.#light(ref, what));
      return;
    }
    const found = this.actorOrRouter(ref, what);
    const results = found instanceof ActorChild ? await tell(found) : await this.#askEach(found, what, tell);
    if (found instanceof ActorChild) return;
    for (const result of results as MemberResult<unknown>[]) if (result.status === "rejected") throw result.reason;
  }

  /** The traces of an actor, or those of every member of a router. Throws as `actorOrRouter` does. */
  traced(ref: unknown, what: string): ActorTraces | ActorTraces[] {
    if (isLightReference(ref)) {
      const traces = this.#lights.traces(ref);
      if (traces === undefined) throw noproc(ref, what, this.#whyGone());
      return traces;
    }
    const found = this.actorOrRouter(ref, what);
    return found instanceof RouterChild ? found.actors.map(({ traces }) => traces) : found.traces;
  }

  #light(ref: ActorRef, what: string): Asked {
    const introspection = this.#lights.asking(ref);
    if (introspection === undefined) throw noproc(ref, what, this.#whyGone());
    return { introspection };
  }

  async #askEach<T>(
    router: RouterChild,
    what: string,
    ask: (actor: ActorChild) => Promise<T>,
  ): Promise<MemberResult<T>[]> {
    const { actors } = router;
    if (actors.length === 0) throw noproc(router, what, this.#whyGone());
    return Promise.all(
      actors.map(async (actor): Promise<MemberResult<T>> => {
        const { id } = actor;
        try {
          return { id, status: "fulfilled", value: await ask(actor) };
        } catch (reason) {
          return { id, status: "rejected", reason };
        }
      }),
    );
  }
}

function notAnActor({ id, type }: RouterChild | PoolChild, what: string): ActorError {
  const why =
    type === "supervisor"
      ? 'a router is several actors; say which: router.child("0")'
      : "a pool is no actor and has no state";
  return new ActorError("ERR_NOT_AN_ACTOR", `id=${id} ${what}: ${why}`, { id, method: what });
}
