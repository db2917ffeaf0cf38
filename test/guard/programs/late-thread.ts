// An actor's thread survives its kill until the process exits, and ends then. Prints whether it was given up, and exits
// with 5. Argument: a file that is not there yet.
import { existsSync, readFileSync } from "node:fs";
import { startSystem } from "@mini-otp/runtime";
import { eventually } from "../../support/eventually.js";
import type Memory from "../fixtures/memory.actor.js";

const [pidFile] = process.argv.slice(2);
const system = await startSystem({ logger: false });
const memory = await system.startChild<typeof Memory>({
  id: "memory",
  actor: new URL("../fixtures/memory.actor.js", import.meta.url),
  handlerTimeoutMs: Infinity,
});
void memory.call("blockUntilKilled", pidFile).catch(() => {});
await eventually(() => existsSync(pidFile));
process.on("exit", () => process.kill(Number(readFileSync(pidFile, "utf8")), "SIGKILL"));
const { zombie } = await system.stop({ timeoutMs: 50 });
console.log("given up", zombie);
process.exitCode = 5;
