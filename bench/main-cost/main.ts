import { describeMachine, machineLine } from "../machine.js";
import { countOption } from "../options.js";
import { internals } from "./internals.js";
import { costUs } from "./measure.js";
import { supervisorCosts } from "./supervisors.js";

// pnpm bench:main [-- --children 8000]
const children = countOption("bench:main", "children", 8000);
const FEW = 80;
const { Timers, ProcessSignals } = await internals();

function rearmUs(count: number): number {
  const timers = new Timers();
  const ids = Array.from({ length: count }, (_, i) => timers.add(i / 1000, 60_000, 0, "tick", []));
  return costUs(Math.min(20_000, 200 * count), (index) => {
    const at = (index * 7919) % count;
    timers.cancel(ids[at]);
    ids[at] = timers.add(1_000 + index / 1000, 60_000, 0, "tick", []);
  });
}

/** One watcher watches all; the watched actors end in the reverse order. */
function downUs(count: number): number {
  const processOf = (id: string, uid: number) => ({ id, ref: { id, uid } as never, kill() {}, info() {} });
  const all = Array.from({ length: count + 1 }, (_, i) => processOf(`root/c${i}`, i + 1));
  const [watcher] = all;
  const paths = new Map(all.map((one) => [one.id, one]));
  const signals = new ProcessSignals({
    byUid: (uid) => all[uid - 1],
    byPath: (id) => paths.get(id),
    refTo: (target) => target as never,
    reasonOf: (reason) => reason as never,
    membersOf: () => [],
    lightAsking: () => undefined,
    lightPath: () => undefined,
    exitLight() {},
    listenerFailed() {},
  });
  for (const one of all) signals.started(one);
  const watch = (i: number): void =>
    signals.handle(watcher, { type: "monitor", monitor: i, target: { uid: i + 1, id: all[i].id, address: 1 } });
  for (let i = 1; i <= count; i++) watch(i);
  const before = process.cpuUsage();
  for (let i = count; i > 0; i--) signals.ended(all[i], { kind: "normal" })();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

console.log(machineLine(await describeMachine()));
await supervisorCosts(FEW, children);
for (const count of [1_000, 100_000]) {
  console.log(`re-arm of a timer among ${count}: ${rearmUs(count).toFixed(2)} µs`);
}
for (const count of [1_000, 16_000]) {
  console.log(`DOWN to one watcher of ${count}: ${downUs(count).toFixed(2)} µs`);
}
