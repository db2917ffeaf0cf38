import {
  type ActorRef,
  type ActorSpec,
  type ActorStats,
  type ActorUrl,
  type DynamicSupervisorRef,
  dynamicSupervisor,
  pool,
  resource,
  router,
  type SupervisedPoolRef,
  type SupervisedRouterRef,
  type SupervisorRef,
  startSystem,
  supervisor,
} from "@mini-otp/runtime";
import { defineActor } from "@mini-otp/worker-host";
import type Hasher from "./hasher.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

export const gate = defineActor({ handlers: { open: (_ctx, wide: boolean) => wide } });
export const listed = defineActor({
  init: (args: { mode: "fast" | "slow"; list: string[]; at: Date; pairs?: [number, number][] }) => args.list,
  handlers: { mode: (ctx) => ctx.state },
});

const hasherUrl = new URL("./hasher.js", import.meta.url) as ActorUrl<typeof Hasher>;
const gateUrl = new URL("./gate.js", import.meta.url) as ActorUrl<typeof gate>;

// A declared tree knows its children.
const system = await startSystem({
  name: "trees",
  children: [
    {
      id: "hasher",
      actor: hasherUrl,
      args: { rounds: 3 },
      mailbox: { overflow: "reject" },
      execArgv: ["--no-warnings"],
    },
    { id: "gate", actor: gateUrl, restart: "transient" },
    { id: "untyped", actor: "untyped.js", args: { list: [1, 2] } },
    router({ id: "hashers", actor: hasherUrl, args: { rounds: 1 }, size: 2, route: "consistent_hash" }),
    resource({ id: "clock", start: async () => new Date(), stop: (clock) => clock.getTime() }),
    pool<(n: number) => string>({ id: "numbers", filename: "numbers.js" }),
    supervisor({
      id: "ingest",
      strategy: "rest_for_one",
      children: [
        { id: "gate", actor: gateUrl },
        supervisor({ id: "inner", children: [{ id: "hasher", actor: hasherUrl, args: { rounds: 1 } }] }),
      ],
    }),
    dynamicSupervisor({ id: "jobs", maxChildren: 10, template: { actor: hasherUrl, heapCapMb: 32 } }),
  ],
});
const hasher = system.child("hasher");
is<typeof hasher, ActorRef<typeof Hasher>>(true);
const digest = await system.child("hasher").call("hash", "text");
is<typeof digest, string>(true);
const theGate = system.child("gate");
is<typeof theGate, ActorRef<typeof gate>>(true);
const untyped = system.child("untyped");
is<typeof untyped, ActorRef<any>>(true);
const hashers = system.child("hashers");
is<typeof hashers, SupervisedRouterRef<typeof Hasher>>(true);
const clock = system.child("clock");
is<typeof clock, Date>(true);
const numbers = system.child("numbers");
is<typeof numbers, SupervisedPoolRef<(n: number) => string>>(true);
const nested = system.child("ingest").child("inner").child("hasher");
is<typeof nested, ActorRef<typeof Hasher>>(true);
const restarted = await system.restartChild("hasher");
is<typeof restarted, ActorRef<typeof Hasher>>(true);
const plain = await startSystem({ children: [{ id: "gate", actor: gateUrl }] });
const plainGate = plain.child("gate");
is<typeof plainGate, ActorRef<typeof gate>>(true);
const later = plain.child<typeof gate>("started later");
is<typeof later, ActorRef<typeof gate> | undefined>(true);
const laterUntyped = plain.child<any>("started later");
is<typeof laterUntyped, any>(true);
const undeclared = (await startSystem({ name: "undeclared" })).child("any" as string);
is<typeof undeclared, any>(true);
const emptyAtFirst = (await startSystem({ children: [] })).child("any");
is<typeof emptyAtFirst, any>(true);
const listOfSpecs = ["a", "b"].map((id) => ({ id, actor: gateUrl }));
const fromAList = (await startSystem({ children: listOfSpecs })).child("a");
is<typeof fromAList, ActorRef<typeof gate>>(true);

// Arguments are those of `init`, lists and literals included.
const listedUrl = new URL("./listed.js", import.meta.url) as ActorUrl<typeof listed>;
const list = ["a"];
await startSystem({
  children: [
    { id: "one", actor: listedUrl, args: { mode: "fast", list: ["a", "b"], at: new Date(), pairs: [[1, 2]] } },
    { id: "two", actor: listedUrl, args: { mode: "slow", list, at: new Date() } },
  ],
});
await system.startChild({ id: "three", actor: listedUrl, args: { mode: "fast", list: ["a", "b"], at: new Date() } });

// A dynamic supervisor's children are the template's.
const job = await system.child("jobs").startChild({ args: { rounds: 2 } });
is<typeof job, ActorRef<typeof Hasher>>(true);
const otherJob = await system.child("jobs").startChild<typeof gate>({ actor: "gate.js" });
is<typeof otherJob, ActorRef<typeof gate>>(true);
const preset = await system.startChild(
  dynamicSupervisor({ id: "preset", template: { actor: hasherUrl, args: { rounds: 1 } } }),
);
const presetJob = await preset.startChild({});
is<typeof presetJob, ActorRef<typeof Hasher>>(true);
await preset.startChild<typeof Hasher>({ id: "named" });

// What is started later, and what is looked up, can be told its type.
const told = system.child<typeof Hasher>("any");
is<typeof told, ActorRef<typeof Hasher> | undefined>(true);
const toldRestarted = await system.restartChild<typeof Hasher>("any");
is<typeof toldRestarted, ActorRef<typeof Hasher>>(true);
const toldSupervisor = system.child<SupervisorRef>("any");
is<typeof toldSupervisor, SupervisorRef | undefined>(true);
const below = toldSupervisor?.child<typeof gate>("gate");
is<typeof below, ActorRef<typeof gate> | undefined>(true);
const found = system.whereis<typeof Hasher>("hasher");
is<typeof found, ActorRef<typeof Hasher> | undefined>(true);
const foundForKey = system.whereis<typeof Hasher>("hashers")?.forKey("key");
is<typeof foundForKey, ActorRef<typeof Hasher> | undefined>(true);
const foundRouter = system.whereis<SupervisedRouterRef<typeof Hasher>>("hashers");
is<typeof foundRouter, SupervisedRouterRef<typeof Hasher> | undefined>(true);
await foundRouter?.broadcast("reset");
const foundUntyped = system.whereis("any");
is<typeof foundUntyped, ActorRef | undefined>(true);
await foundUntyped?.call("anything", 1);

// Both words of `throws` and of `env` are options of every spec that takes them.
await system.startChild({ id: "lives", actor: gateUrl, throws: "reply", env: "inherit" });
await system.startChild(
  router({ id: "r", actor: gateUrl, size: 1, route: "round_robin", throws: "crash", env: "none" }),
);
await system.startChild(dynamicSupervisor({ id: "t", template: { throws: "reply", env: { TZ: "UTC" } } }));
await system.startChild(pool({ id: "e", filename: "numbers.js", env: "inherit" }));
await startSystem({ children: [{ id: "lives", actor: gateUrl, throws: "reply", env: "inherit" }] });

// What `startChild` is given says what it resolves to.
const started = await system.startChild({ id: "typed by its URL", actor: hasherUrl, args: { rounds: 3 } });
is<typeof started, ActorRef<typeof Hasher>>(true);
const startedRouter = await system.startChild(
  router<typeof Hasher>({ id: "r", actor: "hasher.js", args: { rounds: 1 }, size: 1, route: "round_robin" }),
);
is<typeof startedRouter, SupervisedRouterRef<typeof Hasher>>(true);
const startedPool = await system.startChild(pool<(n: number) => string>({ id: "p", filename: "numbers.js" }));
is<typeof startedPool, SupervisedPoolRef<(n: number) => string>>(true);
const mapped = startedPool.map([1, Promise.resolve(2)], { concurrency: 2, ordered: false });
is<typeof mapped, AsyncIterableIterator<string>>(true);
for await (const text of mapped) is<typeof text, string>(true);
const startedResource = await system.startChild(resource({ id: "x", start: () => 1, stop() {} }));
is<typeof startedResource, number>(true);
const startedSupervisor = await system.startChild(supervisor({ id: "s", children: [{ id: "a", actor: gateUrl }] }));
const grandchild = startedSupervisor.child("a");
is<typeof grandchild, ActorRef<typeof gate>>(true);
const toldResource = await system.startChild<Date>(resource({ id: "w", start: () => new Date(), stop() {} }));
is<typeof toldResource, Date>(true);
const sharing = await system.startChild(
  dynamicSupervisor({ id: "l", threads: { count: 2 }, perThread: [{ actor: "a.js" }], template: { actor: hasherUrl } }),
);
const light = await sharing.startChild({ id: "one", args: { rounds: 1 } });
is<typeof light, ActorRef<typeof Hasher>>(true);
sharing.refOf("one");
const lights = await sharing.startChildren([{ args: { rounds: 1 } }, { id: "two", args: { rounds: 2 } }]);
is<typeof lights, ActorRef<typeof Hasher>[]>(true);
await sharing.startChildren([1, 2].map((rounds) => ({ id: `m${rounds}`, args: { rounds }, sameThreadAs: light })));
const otherLight = await sharing.startChild({ id: "gate", actor: gateUrl });
is<typeof otherLight, ActorRef<typeof gate>>(true);
const toldLight = await sharing.startChild<typeof gate>({ actor: "gate.js" });
is<typeof toldLight, ActorRef<typeof gate>>(true);
const presetLights = await system.startChild(
  dynamicSupervisor({
    id: "pl",
    threads: {},
    template: { actor: hasherUrl, args: { rounds: 1 }, restart: "permanent" },
  }),
);
const presetLight = await presetLights.startChild();
is<typeof presetLight, ActorRef<typeof Hasher>>(true);
await presetLights.startChildren([{}, { id: "named", args: { rounds: 2 } }]);
const untypedLights = await system.startChild(
  dynamicSupervisor({ id: "ul", threads: {}, template: { actor: "a.js" } }),
);
const untypedLight = await untypedLights.startChild({ args: { any: [1] } });
is<typeof untypedLight, ActorRef<any>>(true);
await untypedLights.startChild<typeof Hasher>({ id: "told", args: { rounds: 1 } });
await system.upgrade(sharing, hasherUrl);
const startedDynamic = await system.startChild(dynamicSupervisor({ id: "d" }));
const member = await startedDynamic.startChild<typeof Hasher>({ actor: "hasher.js", args: { rounds: 1 } });
is<typeof member, ActorRef<typeof Hasher>>(true);

// A spec with a type but without a literal id stands for the ids that no other spec has.
const spec: ActorSpec<typeof Hasher> = { id: "annotated", actor: "hasher.js", args: { rounds: 1 } };
const annotated = await startSystem({ children: [spec, { id: "gate", actor: gateUrl }] });
const annotatedHasher = annotated.child("annotated");
is<typeof annotatedHasher, ActorRef<typeof Hasher>>(true);
const annotatedGate = annotated.child("gate");
is<typeof annotatedGate, ActorRef<typeof gate>>(true);

// Numbers are typed on the reference as on the system.
const stats = hasher.stats();
is<typeof stats, ActorStats>(true);
const size = hashers.stats().members.length;
is<typeof size, number>(true);

for (const child of system.whichChildren()) {
  if (child.type === "supervisor") is<typeof child.ref.id, string>(true);
  else await child.ref.call("anything");
}
export const members = hashers.whichChildren().map(({ ref }) => ref.call("hash", "text"));
export const references: readonly (SupervisorRef | DynamicSupervisorRef)[] = [
  system,
  startedSupervisor,
  startedDynamic,
];
