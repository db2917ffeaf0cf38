// A database in an actor: its transactions survive a kill in the middle of the work. Usage: node main.js <file>
import { isBuiltin } from "node:module";
import { isActorError, isReplyError, startSystem } from "@mini-otp/runtime";
import type Store from "./store.actor.js";

const [file] = process.argv.slice(2);
if (file === undefined || !isBuiltin("node:sqlite")) {
  console.error("usage: node main.js <file>, with Node 22.13 or newer");
  process.exit(2);
}

await using system = await startSystem({ name: "sqlite", logger: false });
const store = await system.startChild<typeof Store>({
  id: "store",
  actor: new URL("./store.actor.js", import.meta.url),
  args: { file },
  // What waits when the actor is killed is handled by the next incarnation.
  mailbox: { capacity: 1_024 },
});

await store.call("deposit", "ada", 1_000);
const refused: unknown = await store.call("transfer", "grace", "ada", 5).catch((error: unknown) => error);
console.log(isReplyError(refused) ? refused.message : "paid");

let unanswered = 0;
const transfers = Array.from({ length: 500 }, async () => {
  try {
    await store.call("transfer", "ada", "grace", 1);
  } catch (error) {
    // The one that was under way when the thread was killed: done or not done, but never half.
    if (!isActorError(error, "ERR_CALL_EXIT")) throw error;
    unanswered++;
  }
});
system.exit(store, "kill");
await Promise.all(transfers);
console.log(
  `incarnation ${system.stats(store).incarnation}, ${unanswered <= 1 ? "at most one" : unanswered} unanswered`,
);
console.log(`in all accounts together: ${await store.call("total")}`);
