import { startSystem } from "@mini-otp/runtime";
import type Native from "../fixtures/native.actor.js";

const system = await startSystem({ logger: false });
const actor = new URL("../fixtures/native.actor.js", import.meta.url);
const ref = await system.startChild<typeof Native>({ id: "native", actor, isolation: "process" });
console.log("before");
await ref.call("print", "from the process");
await system.stop();
