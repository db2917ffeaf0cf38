// Prints the stack that the caller of an actor gets when the actor crashes.
import { startSystem } from "@mini-otp/runtime";

await using system = await startSystem({ logger: false });
const actor = new URL("../fixtures/adder.actor.js", import.meta.url);
const crashing = await system.startChild({ id: "adder", actor });
await crashing.call("crash").catch((error: Error) => console.log(error.stack));
