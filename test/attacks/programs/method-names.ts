// A gateway forwards 200 000 method names that no actor has. Prints what still works, and how much memory has grown by.
// Started with --expose-gc.
import { startSystem } from "@mini-otp/runtime";
import type Gateway from "../fixtures/gateway.actor.js";
import type { Way } from "../fixtures/gateway.actor.js";

const PER_WAY = 25_000;
const AT_ONCE = 500;
const WAYS: readonly Way[] = ["call", "cast", "tryCast", "proxy"];

/** The least of some looks: what finalizers hold is garbage one turn later. */
async function heaps(): Promise<{ main: number; actor: number }> {
  const least = { main: Infinity, actor: Infinity };
  for (let look = 0; look < 5; look++) {
    globalThis.gc?.();
    least.main = Math.min(least.main, process.memoryUsage().heapUsed / 2 ** 20);
    least.actor = Math.min(least.actor, await gateway.call("heapMb"));
    await new Promise(setImmediate);
  }
  return least;
}
const names = (way: string): string[] => Array.from({ length: PER_WAY }, (_, i) => `${way} of user ${i} ☃`);

const system = await startSystem({ logger: false });
const actor = new URL("../fixtures/gateway.actor.js", import.meta.url);
const target = await system.startChild<typeof Gateway>({ id: "target", actor });
const gateway = await system.startChild<typeof Gateway>({ id: "gateway", actor });
const patient = target.with({ timeoutMs: 60_000 }) as any;

async function fromMain(way: Way, batch: readonly string[]): Promise<number> {
  let refused = 0;
  const sent = batch.map(async (name) => {
    try {
      if (way === "call") await patient.call(name);
      else if (way === "cast") await patient.cast(name);
      else if (way === "proxy") await patient.proxy()[name]();
      else while (patient.tryCast(name) === "full") await new Promise(setImmediate);
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_UNKNOWN_METHOD") throw error;
      refused++;
    }
  });
  await Promise.all(sent);
  return refused;
}

async function attack(prefix: string, count: number): Promise<Record<string, number>> {
  const refused: Record<string, number> = {};
  for (const way of WAYS) {
    const all = names(`${prefix} ${way}`).slice(0, count);
    let fromHere = 0;
    for (let at = 0; at < all.length; at += AT_ONCE) fromHere += await fromMain(way, all.slice(at, at + AT_ONCE));
    const theirs = all.map((name) => `${name} by actor`);
    refused[`main ${way}`] = fromHere;
    refused[`actor ${way}`] = await gateway.with({ timeoutMs: 60_000 }).call("forward", target, way, theirs);
  }
  return refused;
}

await attack("warm", 1000);
const before = await heaps();
console.log("refused", JSON.stringify(await attack("attack", PER_WAY)));
const after = await heaps();
console.log("main grew by MiB:", Math.max(0, after.main - before.main).toFixed(1));
console.log("actor grew by MiB:", Math.max(0, after.actor - before.actor).toFixed(1));

const fifty = await system.startChild({ id: "fifty", actor: new URL("../fixtures/fifty.actor.js", import.meta.url) });
console.log("fifty", await fifty.call("fifty49", 2));
await system.upgrade(target, new URL("../fixtures/later.actor.js", import.meta.url));
console.log("upgraded", await target.call("ping"), await patient.call("onlyLater", "on"));
await system.stop();
