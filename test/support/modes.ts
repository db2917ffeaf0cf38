import {
  type ActorRef,
  type ActorSpec,
  type ActorSystem,
  dynamicSupervisor,
  type ExitReason,
  type PartitionedSupervisorRef,
  type SystemOptions,
} from "@mini-otp/runtime";
import { ofPart } from "./part.js";
import { testSystem } from "./system.js";

/** Where the actors of a test run. In `mixed` modes they take turns, in the order in which they are started. */
export const MODES = {
  "in threads of their own": { light: () => false, count: 1 },
  "light, in one thread": { light: () => true, count: 1 },
  "light, in two threads": { light: () => true, count: 2 },
  "light and with a thread in turn": { light: (n: number) => n % 2 === 0, count: 1 },
  "with a thread and light in turn": { light: (n: number) => n % 2 === 1, count: 1 },
  "in processes of their own": { light: () => false, count: 1, own: { isolation: "process", callTimeoutMs: 30_000 } },
} as const;

export type Mode = keyof typeof MODES;

/** All modes with light actors. */
export const LIGHT_MODES = (Object.keys(MODES) as Mode[]).filter((mode) => /light/.test(mode));

/** A mode of each kind. Processes take ten times as long as the others, and run the loop of the first. */
const EACH_KIND: readonly Mode[] = ["in threads of their own", "light, in one thread", "in processes of their own"];

/** Of these, those whose turn it is. */
export const KINDS: readonly Mode[] = ofPart([EACH_KIND[0] as Mode], [EACH_KIND[1] as Mode], EACH_KIND);

/** All modes. */
export const ALL_MODES: readonly Mode[] = [...new Set([...EACH_KIND, ...LIGHT_MODES])];

type Spec = Omit<Partial<ActorSpec>, "actor"> & { readonly id: string; readonly actor: URL };

export interface ActorsIn {
  readonly system: ActorSystem;
  /** Starts a temporary actor. */
  start<A>(spec: Spec): Promise<ActorRef<A>>;
  /** By its supervisor, in order. */
  terminate(ref: ActorRef): Promise<void>;
  exitOf(ref: ActorRef): Promise<ExitReason>;
  /** A call, after which main has done what the handler has asked of it: ports of two threads have no order. */
  ask(ref: ActorRef<any>, method: string, ...args: unknown[]): Promise<unknown>;
  /** The child of its supervisor that has its id; undefined when there is none. */
  find(ref: ActorRef): ActorRef | undefined;
}

/** A system whose actors are started in the mode's places, one after the other. */
export async function actorsIn(mode: Mode, options: SystemOptions = {}): Promise<ActorsIn> {
  const { light, count, own = {} } = MODES[mode] as (typeof MODES)[Mode] & { readonly own?: object };
  const children = [dynamicSupervisor({ id: "light", threads: { count, place: "round_robin" } })];
  const system = await testSystem({ intensity: 100, ...options, children });
  const shared = system.child("light") as unknown as PartitionedSupervisorRef<any>;
  let started = 0;
  const placeOf = ({ id }: ActorRef): { by: Pick<ActorSystem, "child" | "terminateChild">; name: string } => {
    const name = id.slice(id.lastIndexOf("/") + 1);
    return { by: id === `${shared.id}/${name}` ? (shared as never) : system, name };
  };
  return {
    system,
    start: async <A>(spec: Spec) =>
      (await (light(started++)
        ? shared.startChild(spec as never)
        : system.startChild({ restart: "temporary", ...own, ...spec } as never))) as unknown as ActorRef<A>,
    terminate: (ref) => {
      const { by, name } = placeOf(ref);
      return by.terminateChild(name);
    },
    ask: async (ref, method, ...args) => {
      const answer = await ref.call(method, ...args);
      // The answer comes by the port by which the thread has asked.
      await system.getState(ref);
      // And main may have told the thread of what it is about.
      const isLight = (arg: unknown): arg is ActorRef =>
        String((arg as { id?: unknown } | null)?.id).startsWith(`${shared.id}/`);
      await Promise.allSettled(args.filter(isLight).map((arg) => system.getState(arg)));
      return answer;
    },
    find: (ref) => {
      const { by, name } = placeOf(ref);
      return by.child(name) as ActorRef | undefined;
    },
    exitOf: (ref) => new Promise((resolve) => system.monitor(ref, ({ reason }) => resolve(reason))),
  };
}
