// A program with a pool of processes: one runs a loop, one has started a process of its own, one waits. Prints their
// numbers, and ends as its argument says.
import { handleSignals, pool, startSystem } from "@mini-otp/runtime";

const system = await startSystem();
const filename = new URL("../fixtures/native.js", import.meta.url);
const ref = await system.startChild(
  pool({ id: "pool", filename, isolation: "process", minThreads: 3, maxThreads: 3, taskTimeoutMs: 600_000 }),
);
const pids = new Set<number>();
while (pids.size < 3)
  for (const pid of await Promise.all([1, 2, 3].map(() => ref.run(undefined, { name: "pid" }))))
    pids.add(pid as number);
const child = (await ref.run(undefined, { name: "spawnChild" })) as number;
ref.run(undefined, { name: "loop" }).catch(() => {});
if (process.argv[2] === "exit") setTimeout(() => process.exit(0), 100);
if (process.argv[2] === "signals") handleSignals(system, { timeoutMs: 1_000 });
if (process.argv[2] === "stop") setTimeout(() => void system.stop({ timeoutMs: 200 }), 100);
console.log([...pids, child].join(" "));
