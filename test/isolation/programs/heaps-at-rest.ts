// An actor that is left alone. Says when V8 has collected its whole heap, and after each line read, how often that was.
import { createInterface } from "node:readline";
import { startSystem } from "@mini-otp/runtime";
import type Collected from "../fixtures/collected.actor.js";

const system = await startSystem({ logger: false });
const actor = new URL("../fixtures/collected.actor.js", import.meta.url);
const collected = await system.startChild<typeof Collected>({ id: "collected", actor });
const patient = collected.with({ timeoutMs: 60_000 });
void patient.call("collected").then(() => console.log("collected"));
console.log("at rest");
for await (const _ of createInterface({ input: process.stdin })) {
  console.log("collections", await collected.call("collections"));
}
