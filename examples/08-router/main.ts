// One reference in front of several actors. By consistent_hash, a key always has the same one.
import { router, startSystem } from "@mini-otp/runtime";
import type Counter from "./counter.actor.js";

await using system = await startSystem();
const actor = new URL("./counter.actor.js", import.meta.url);
const counters = await system.startChild(
  router<typeof Counter>({ id: "counters", actor, size: 3, route: "consistent_hash" }),
);

for (const word of ["to", "be", "or", "not", "to", "be"]) {
  console.log(word, await counters.forKey(word).call("count", word));
}

const reader = await system.startChild<typeof Counter>({ id: "reader", actor });
await reader.call("countAll", counters, "that is the question");

const answers = await counters.callAll("words");
const words = answers.map((answer) => (answer.status === "fulfilled" ? answer.value : 0));
const sum = words.reduce((a, b) => a + b);
console.log("different words:", sum);

await counters.resize(4);
console.log(counters.whichChildren().map(({ id, type, state }) => `${type} ${id} ${state}`));
