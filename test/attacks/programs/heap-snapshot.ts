// Takes heap snapshots and reads none, half, or all of each, while the actor ends in the way that the first argument says.
import type { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { isActorError, startSystem } from "@mini-otp/runtime";
import type Snapshot from "../fixtures/snapshot.actor.js";

const [way = "kill", read = "unread"] = process.argv.slice(2);
const system = await startSystem({ logger: false, intensity: 1000 });
const actor = new URL("../fixtures/snapshot.actor.js", import.meta.url);
const ref = await system.startChild<typeof Snapshot>({
  id: "snapshot",
  actor,
  heapCapMb: 256,
  offHeapCapMb: 256,
  handlerTimeoutMs: way === "unresponsive" ? 2000 : 30_000,
  ...(way === "permissions" ? { permissions: {} } : {}),
});

const ends: Record<string, () => unknown> = {
  kill: () => system.exit(ref, "kill"),
  crash: () => ref.cast("crash"),
  leave: () => ref.cast("leave"),
  // A snapshot of a thread that does not get out of its handler, then the end of it.
  unresponsive: async () => {
    const spinning = ref.call("spin").catch(() => {});
    streams.push(await system.heapSnapshot(ref));
    await spinning;
  },
  upgrade: () => system.upgrade(ref, actor),
  permissions: () => ref.cast("crash"),
  stop: () => {},
};
/** However long that takes: under load a snapshot takes seconds. */
const isBack = async (before: number): Promise<void> => {
  while ((await ref.call("ping").catch(() => before)) <= before) await setImmediate();
};
const half = (stream: Readable): Promise<void> =>
  new Promise((resolve) => {
    stream.once("readable", () => {
      stream.read(100);
      resolve();
    });
  });

const streams: Readable[] = [];
for (let round = 0; round < 2; round++) {
  const before = await ref.call("ping");
  const stream = await system.heapSnapshot(ref);
  streams.push(stream);
  if (read === "read half") await half(stream);
  // Another that may be under way while the thread ends: it resolves or says why not.
  const meanwhile = system.heapSnapshot(ref).then(
    (snapshot) => void streams.push(snapshot),
    (error: unknown) => {
      if (!isActorError(error)) throw error;
    },
  );
  if (way === "stop") break;
  await ends[way]?.();
  if (way !== "upgrade") {
    await isBack(before);
    await meanwhile;
  }
  const whole = await stream.toArray();
  if (read === "unread") JSON.parse(Buffer.concat(whole).toString());
}
await system.stop();
if (way === "stop") for (const stream of streams) await stream.toArray();
console.log("lives");
