import { ActorError, type ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { isCellAddress, segmentOfCell } from "@mini-otp/worker-host/protocol/memory";
import { isPartitionUrl, type Target } from "@mini-otp/worker-host/protocol/port";
import { ActorRef, type ActorStats } from "@mini-otp/worker-host/protocol/refs";
import type { ActorTraces } from "../introspection/actor-traces.js";
import { type LightLife, type LightTarget, lightName, lightNamed } from "../signals/light-name.js";
import type { Process, Source } from "../signals/process-signals.js";

export type { LightLife, LightTarget };

/** What a supervisor of light actors knows of them. */
export interface LightOwner {
  /** The life that is meant: the present one unless it is named. Undefined when it has ended. */
  resolve(target: LightTarget): LightLife | undefined;
  /** From now on its end is told to `signals`. False when it has ended. */
  watch(life: LightLife): boolean;
  /** The same for one whose thread has seen to it, and tells its end after what it has asked for. */
  expect(life: LightLife): void;
  /** An exit signal: it ends with `fatal`, or gets EXIT with `reason`. */
  exit(target: LightTarget, from: Source, reason: ExitReason | "kill", fatal?: ExitReason): void;
  stats(target: LightTarget): ActorStats | undefined;
  /** By its thread; undefined when that does not run. */
  introspection(target: LightTarget): Asking | undefined;
  /** Undefined when it has ended. */
  traces(target: LightTarget): ActorTraces | undefined;
}

/** What main can ask of a light actor, as of any. */
export interface Asking {
  suspend(timeoutMs: number): Promise<void>;
  resume(timeoutMs: number): Promise<void>;
  getState(timeoutMs: number): Promise<unknown>;
  replaceState(state: unknown, timeoutMs: number): Promise<unknown>;
}

/** The light actors of a system, for monitors, exit signals and stats: by the segment of their partition's table. */
export class LightActors {
  readonly #owners = new Map<number, LightOwner>();

  add(segment: number, owner: LightOwner): void {
    this.#owners.set(segment, owner);
  }

  remove(segment: number): void {
    this.#owners.delete(segment);
  }

  static isLight(target: { readonly address?: number | undefined }): boolean {
    return target.address !== undefined && isCellAddress(target.address);
  }

  /** For the signals of main: the name under which this life is known there; undefined when it has ended. */
  watched(target: Target): string | undefined {
    const light = this.#resolve(target);
    if (light === undefined || !this.#ownerOf(light).watch(light)) return undefined;
    return lightName(light);
  }

  /** The name of a life that has asked for something; undefined when its partition is gone. */
  nameOfAsking({ address = 0, uid, id, life = 1 }: Target): string | undefined {
    const light = { address, uid, id, life };
    const owner = this.#owners.get(segmentOfCell(address));
    owner?.expect(light);
    return owner === undefined ? undefined : lightName(light);
  }

  /** The process behind such a name. */
  at(name: string, refTo: (target: LightTarget) => ActorRef): Process | undefined {
    const target = lightNamed(name);
    if (target === undefined) return undefined;
    return {
      id: name,
      ref: refTo(target),
      // Neither is asked of it: what becomes of an exit signal is decided in its thread.
      kill: () => {},
      info: () => {},
      exitSignal: (from, reason, fatal) => this.exit(target, from, reason, fatal),
    };
  }

  exit(target: Target, from: Source, reason: ExitReason | "kill", fatal?: ExitReason): void {
    const light = this.#resolve(target);
    if (light !== undefined) this.#ownerOf(light).exit({ ...light, life: target.life }, from, reason, fatal);
  }

  /** False for one that has ended for good. */
  lives(target: Target): boolean {
    return this.#resolve(target) !== undefined;
  }

  stats(target: Target): ActorStats | undefined {
    const light = this.#resolve(target);
    return light === undefined ? undefined : this.#ownerOf(light).stats(light);
  }

  /** Undefined for one that has ended. */
  asking(target: Target): Asking | undefined {
    const light = this.#resolve(target);
    return light === undefined ? undefined : this.#ownerOf(light).introspection(light);
  }

  /** Undefined for one that has ended. */
  traces(target: Target): ActorTraces | undefined {
    const light = this.#resolve(target);
    return light === undefined ? undefined : this.#ownerOf(light).traces(light);
  }

  #resolve({ address, uid, id, life }: Target): LightLife | undefined {
    if (address === undefined) return undefined;
    return this.#owners.get(segmentOfCell(address))?.resolve({ address, uid, id, life });
  }

  #ownerOf({ address }: LightTarget): LightOwner {
    return this.#owners.get(segmentOfCell(address)) as LightOwner;
  }
}

/** False for whatever is no reference: what a Proxy or a getter throws goes no further. */
export function isLightReference(value: unknown): value is ActorRef {
  try {
    return value instanceof ActorRef && LightActors.isLight(value);
  } catch {
    return false;
  }
}

/** Throws ERR_NOT_AN_ACTOR for what is done to a thread, or to an actor by its thread. */
export function requireOwnThread(ref: unknown, what: string): void {
  if (!isLightReference(ref)) return;
  const { id } = ref;
  const why = `a light actor shares its thread; ${what} is for an actor with its own`;
  throw new ActorError("ERR_NOT_AN_ACTOR", `id=${id} ${what}: ${why}${instead(what)}`, { id, method: what });
}

/** Throws ERR_NOT_AN_ACTOR for a partition, whose state and code are the runtime's. */
export function requireNoPartition<C extends PartitionLike>(child: C, what: string): C {
  const { id, spec } = child;
  if (!isPartitionUrl(String(spec.actor))) return child;
  const why = `a partition is the thread of light actors and has no state or code of its own; ${what} is for an actor`;
  throw new ActorError("ERR_NOT_AN_ACTOR", `id=${id} ${what}: ${why}${instead(what)}`, { id, method: what });
}

interface PartitionLike {
  readonly id: string;
  readonly spec: { readonly actor: URL | string };
}

function instead(what: string): string {
  if (what !== "upgrade") return "";
  return "; upgrade(supervisor, module) gives the light actors of a supervisor other code";
}
