// A supervised pool of threads for plain functions. A task that goes wrong goes alone.
import { isActorError, pool, startSystem } from "@mini-otp/runtime";
import type Asker from "./asker.actor.js";
import type countPrimes from "./primes.task.js";

await using system = await startSystem({ logger: false });
const primes = await system.startChild(
  pool<typeof countPrimes>({
    id: "primes",
    filename: new URL("./primes.task.js", import.meta.url),
    maxThreads: 2,
    taskTimeoutMs: 1_000,
  }),
);

console.log(await Promise.all([10, 100, 1_000, 10_000].map((limit) => primes.run(limit))));

const failure = await primes.run(0, { name: "forever" }).catch((error: unknown) => error);
if (isActorError(failure, "ERR_CALL_EXIT")) console.log(failure.code, failure.reason);

const asker = await system.startChild<typeof Asker>({
  id: "asker",
  actor: new URL("./asker.actor.js", import.meta.url),
});
console.log(await asker.call("ask", primes, 100_000));

const { completed, failed, threadsLost, restarts } = primes.stats();
console.log({ completed, failed, threadsLost, restarts });
