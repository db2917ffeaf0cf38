// The same worker file in piscina's pool, and in a supervised one. Usage: node main.js
import { pool, startSystem } from "@mini-otp/runtime";
import { Piscina } from "piscina";

const filename = new URL("./primes.task.js", import.meta.url);

const before = new Piscina({ filename: filename.href, maxThreads: 2, resourceLimits: { maxOldGenerationSizeMb: 64 } });
const wanted: Uint32Array = await before.run(10_000);
await before.destroy();

await using system = await startSystem({ name: "from-piscina" });
const after = await system.startChild(pool({ id: "primes", filename, maxThreads: 2, heapCapMb: 64 }));
const got = (await after.run(10_000)) as Uint32Array;

console.log(
  `${got.length} primes, ${Buffer.from(got.buffer).equals(Buffer.from(wanted.buffer)) ? "the same" : "others"}`,
);
