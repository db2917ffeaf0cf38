// Names every module by a relative path, changes the working directory and what it has given, and has all of it start again.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dynamicSupervisor, pool, router, startSystem } from "@mini-otp/runtime";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const actor = "./fixtures/place.actor.js";
const env: Record<string, string> = { COLOR: "red" };
const execArgv = ["--no-warnings"];
const workerData = { list: [1] };
const work = "../pool/fixtures/work.js";

const system = await startSystem({ logger: false, intensity: 100 });
const given = { env, execArgv };
const one = await system.startChild({ id: "one", actor, ...given });
const many = await system.startChild(router({ id: "many", actor, size: 1, route: "round_robin", ...given }));
const template = { actor, ...given };
const dynamic = await system.startChild(dynamicSupervisor({ id: "dynamic", template }));
const threads = await system.startChild(pool({ id: "pool", filename: work, maxThreads: 1, workerData, ...given }));
const upgraded = await system.startChild({
  id: "upgraded",
  actor: new URL("../fixtures/place.actor.js", import.meta.url),
});
await system.upgrade(upgraded, actor);

process.chdir(mkdtempSync(join(tmpdir(), "elsewhere-")));
env.COLOR = "blue";
execArgv.push("--no-such-flag");
workerData.list.push(2);
template.actor = "./nowhere.actor.js";

for (const ref of [one, upgraded, many]) {
  await ref.call("crash").catch(() => {});
  console.log(ref.id, await ref.call("place"));
}
await many.resize(2);
console.log("members", (await many.callAll("place")).map(({ status }) => status).join());
const late = await dynamic.startChild({ id: "late" });
console.log(late.id, await late.call("place"));
system.exit(threads, "kill");
console.log("pool", await threads.run(21), JSON.stringify(await threads.run(0, { name: "data" })));
await system.stop();
