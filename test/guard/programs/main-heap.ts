// Two actors pass half of their caps, one after the other: prints how often main's own heap was collected by force.
// Usage: node main-heap.js [MiB that main takes between the two]
import { setImmediate } from "node:timers/promises";
import { startSystem } from "@mini-otp/runtime";
import type Holder from "../fixtures/holder.actor.js";
import { onForcedCollection } from "../forced-collections.js";

let forced = 0;
onForcedCollection(() => forced++);

const grownMb = Number(process.argv[2] ?? 0);
const kept: number[][] = [];
const system = await startSystem({ logger: false });
for (const id of ["first", "second"]) {
  const actor = new URL("../fixtures/holder.actor.js", import.meta.url);
  const holder = await system.startChild<typeof Holder>({ id, actor, heapCapMb: 64 });
  console.log(id, await holder.call("holdUntilCollected", 50));
  await setImmediate();
  console.log("main", forced);
  while (kept.length < grownMb) kept.push(new Array<number>(131_072).fill(0.5));
}
await system.stop();
