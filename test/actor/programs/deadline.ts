// Stops a tree of actors that are all in one state, within as many ms as the second argument says. Prints how long it
// took and the report, and is meant to end by itself then.
import { readFileSync } from "node:fs";
import { dynamicSupervisor, type StopReport, startSystem, supervisor } from "@mini-otp/runtime";
import type Stubborn from "../../fixtures/stubborn.actor.js";
import type { StubbornArgs } from "../../fixtures/stubborn.actor.js";

const [state, timeoutMs] = [process.argv[2], Number(process.argv[3])];

type Prepare = (actors: readonly Actor[]) => Promise<unknown>;
type Actor = Awaited<ReturnType<typeof start>>;

const actor = new URL("../../fixtures/stubborn.actor.js", import.meta.url);
const system = await startSystem({ logger: false, intensity: 1_000_000, children: [] });
const inner = await system.startChild(supervisor({ id: "inner", intensity: 1_000_000 }));
const many = await system.startChild(dynamicSupervisor({ id: "many", intensity: 1_000_000 }));

/** One under each kind of supervisor, and one more. Their own `shutdown` must not be what ends them. */
function start(parent: Pick<typeof inner, "startChild">, id: string, args: StubbornArgs = {}) {
  const backoff = args.restart === "crash" && id === "a" ? { minMs: 50 } : {};
  return parent.startChild<typeof Stubborn>({
    id,
    actor,
    args,
    backoff,
    shutdown: "infinity",
    handlerTimeoutMs: 60_000,
  });
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const handling: Prepare = async (actors) => {
  while (!actors.every((ref) => system.stats(ref).handling !== null)) await settled();
};
const all = (actors: readonly Actor[], method: "loop" | "block" | "crash") =>
  Promise.all(actors.map((ref) => ref.cast(method)));

const STATES: Record<string, { args?: readonly StubbornArgs[]; prepare: Prepare }> = {
  idle: { prepare: (actors) => Promise.all(actors.map((ref) => ref.call("ready"))) },
  // More than there is time for: 900 messages of 10 ms each.
  loaded: {
    prepare: (actors) => Promise.all(actors.flatMap((ref) => Array.from({ length: 900 }, () => ref.cast("work", 10)))),
  },
  looping: { prepare: (actors) => all(actors, "loop").then(() => handling(actors)) },
  "hanging in terminate": {
    args: [{ terminate: "hang" }],
    prepare: (actors) => Promise.all(actors.map((ref) => ref.call("ready"))),
  },
  restarting: {
    args: [{ restart: "crash" }, { restart: "hang" }, { restart: "loop" }, { restart: "crash" }],
    prepare: async (actors) => {
      await all(actors, "crash");
      while (!actors.every((ref) => system.stats(ref).restarts > 0)) await settled();
    },
  },
  "blocked in native code": { prepare: (actors) => all(actors, "block").then(() => handling(actors)) },
};

const { args = [{}], prepare } = STATES[state];
const actors: Actor[] = [];
for (const [i, parent] of [system, inner, inner, many].entries()) {
  actors.push(await start(parent as typeof inner, "abcd"[i], args[i % args.length]));
}
await prepare(actors);

/** How long this thread was ready to run, but had no core (Documentation/scheduler/sched-stats.rst of Linux). */
const waitedMs = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;

const waitedBefore = waitedMs();
const before = performance.now();
const report = await system.stop({ timeoutMs });
const tookMs = performance.now() - before;
const starvedMs = waitedMs() - waitedBefore;

interface Line {
  readonly id: string;
  readonly children?: readonly Line[];
}
const leaves = ({ id, children }: Line): string[] => (children === undefined ? [id] : children.flatMap(leaves));
const { killed, zombie, drained, dropped, children }: StopReport = report;
console.log(
  JSON.stringify({ tookMs, starvedMs, killed, zombie, drained, dropped, ids: children.flatMap(leaves).sort() }),
);
