// An actor is started, sent messages with `cast`, and asked with `call`.
import { startSystem } from "@mini-otp/runtime";
import type Counter from "./counter.actor.js";

await using system = await startSystem({ name: "counter", logger: false });

const counter = await system.startChild<typeof Counter>({
  id: "counter",
  actor: new URL("./counter.actor.js", import.meta.url),
  args: { start: 100 },
});

for (let i = 1; i <= 10; i++) await counter.cast("add", i);
console.log("count:", await counter.call("get"));
console.log("messages:", system.stats(counter).mailbox.enqueued);
