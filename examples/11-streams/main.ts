// A handler that is an async generator is read with ref.stream. The generator runs as far as its reader reads.
import { setTimeout as delay } from "node:timers/promises";
import { startSystem } from "@mini-otp/runtime";
import type Primes from "./primes.actor.js";

await using system = await startSystem();
const actor = new URL("./primes.actor.js", import.meta.url);
const primes = await system.startChild<typeof Primes>({ id: "primes", actor });

const stream = primes.stream("primes", 1_000_000);
for (let i = 0; i < 3; i++) console.log("a prime:", (await stream.next()).value);

// While nothing is read it comes to rest a few primes ahead; and the actor handles other messages all the time.
let tried = 0;
for (let before = -1; before !== tried; tried = await primes.call("tried")) {
  before = tried;
  await delay(20);
}
console.log("at rest, although it has no end:", tried < 10_000);

// break ends the generator, whose finally runs.
for await (const prime of stream) {
  console.log("and another:", prime);
  break;
}
while ((await primes.call("ended")) === 0) await delay(1);
console.log("streams open:", primes.stats().streams.open);

const reader = await system.startChild<typeof Primes>({ id: "reader", actor });
console.log("twins:", await reader.call("twins", primes, 4));
