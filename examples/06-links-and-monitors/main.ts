// A monitor tells of an end. A link shares it, unless the partner traps exits.
import { startSystem } from "@mini-otp/runtime";
import type Friend from "./friend.actor.js";

await using system = await startSystem({ logger: false });
const actor = new URL("./friend.actor.js", import.meta.url);
const start = (id: string) => system.startChild<typeof Friend>({ id, actor, restart: "temporary" });
const [ada, bob, eve, kim] = await Promise.all(["ada", "bob", "eve", "kim"].map(start));

await bob.call("link", ada);
await eve.call("trap");
await eve.call("link", ada);
await kim.call("watch", ada);
await kim.call("watch", bob);

const ends: Promise<string>[] = [ada, bob].map(
  (ref) => new Promise((resolve) => system.monitor(ref, ({ id, reason }) => resolve(`${id} ended: ${reason.kind}`))),
);
await ada.cast("crash");
for (const end of await Promise.all(ends)) console.log(end);

console.log("eve was told:", await eve.call("told"));
console.log("kim was told:", await kim.call("told"));
