// The process is stopped for longer than a handler may take, and goes on. Prints how the handler ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { startSystem } from "@mini-otp/runtime";
import type Memory from "../fixtures/memory.actor.js";

const system = await startSystem({ logger: false });
const memory = await system.startChild<typeof Memory>({
  id: "memory",
  actor: new URL("../fixtures/memory.actor.js", import.meta.url),
  handlerTimeoutMs: 1000,
});
const call = memory.with({ timeoutMs: 30_000 }).call("churn", 1, 700);
const stopper = spawn("sh", ["-c", `kill -STOP ${process.pid}; sleep 2; kill -CONT ${process.pid}`]);
await once(stopper, "close");
const answer = await call.then(() => "replied").catch((e: Error) => e.message);
console.log(answer, await memory.call("ping"));
await system.stop();
