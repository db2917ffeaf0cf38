// Keeps the state of very many devices in two actors, each device's always in the same one. Usage: node main.js [devices]
import { isReplyError, router, startSystem } from "@mini-otp/runtime";
import type Shard from "./shard.actor.js";

const devices = Number(process.argv[2] ?? 100_000);
const UNDER_WAY = 256;

await using system = await startSystem({ name: "devices", logger: false });
const shards = await system.startChild(
  router<typeof Shard>({
    id: "devices",
    actor: new URL("./shard.actor.js", import.meta.url),
    size: 2,
    route: "consistent_hash",
    heapCapMb: 256,
  }),
);
const shardOf = (device: string) => shards.forKey(device);

/** So many calls at a time: the mailboxes never fill up, and main keeps nothing but these. */
async function forEachDevice(work: (device: string) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < devices) await work(`device-${next++}`);
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, lane));
}

async function counts(): Promise<number[]> {
  const answers = await shards.callAll("count");
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

const now = Date.now();
await forEachDevice((id) => shardOf(id).call("report", id, { at: now, celsius: 20 }));
await forEachDevice((id) => shardOf(id).call("report", id, { at: now, celsius: 22 }));
const kept = await counts();
const even = Math.max(...kept) < 1.3 * Math.min(...kept) ? "evenly" : "unevenly";
console.log(`${kept[0] + kept[1]} devices, spread ${even} over ${kept.length} actors`);
console.log(`device-7: ${await shardOf("device-7").call("average", "device-7")} degrees on average`);

const failure: unknown = await shardOf("device-7")
  .call("report", "device-7", { at: now, celsius: Number.NaN })
  .catch((error: unknown) => error);
console.log(`device-7: ${(failure as Error).message}`);
const gone: unknown = await shardOf("device-7")
  .call("average", "device-7")
  .catch((error: unknown) => error);
console.log(`device-7 starts again: ${isReplyError(gone) ? gone.message : "no"}`);
const all = await counts();
console.log(`${all[0] + all[1]} devices are left, restarts: ${system.stats(shards).restarts}`);
