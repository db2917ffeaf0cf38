// A system tied to the process by handleSignals, in a state that the first argument names. Prints what happens to it.
import { handleSignals, resource, startSystem } from "@mini-otp/runtime";
import type Stubborn from "../../fixtures/stubborn.actor.js";

const [mode, timeoutMs] = process.argv.slice(2);
const actor = new URL("../../fixtures/stubborn.actor.js", import.meta.url);
const say = (...words: unknown[]): void => console.log(...words);

const system = await startSystem(mode === "logged" ? {} : { logger: false });
const args = mode === "hang" || mode === "throw" ? ({ terminate: mode } as const) : {};
const first = await system.startChild<typeof Stubborn>({ id: "first", actor, args, shutdown: 60_000 });
const second = await system.startChild<typeof Stubborn>({ id: "second", actor });
await system.startChild(resource({ id: "door", start: () => say("open"), stop: () => say("closed") }));
const forget = handleSignals(system, timeoutMs === undefined ? {} : { timeoutMs: Number(timeoutMs) });

let handled = 0;
system.on("actor_exited", ({ id, reason }) => {
  say(id.replace("root/", ""), reason.kind);
  if (id === first.id) handled = system.stats(first).mailbox.handled;
});
system.on("system_stopped", ({ reason }) => {
  const { detail } = reason as { detail?: { error?: { message: string } } | string };
  const why = typeof detail === "object" ? detail.error?.message : detail;
  say("stopped:", why, "handled:", handled);
});
process.on("exit", (code) => say("exit", code));
// The process is not to wait for this when it was told to end.
setInterval(() => {}, 60_000);

const raise = (message: string): void => {
  throw new Error(message);
};
const after = (then: () => void): void => void system.on("actor_exited", ({ id }) => id === "root/door" && then());

switch (mode) {
  case "busy":
    for (let i = 0; i < 40; i++) await first.cast("work", 10);
    break;
  case "blocked":
    await first.cast("block");
    await second.cast("loop");
    while (system.stats(first).handling === null) await new Promise((resolve) => setImmediate(resolve));
    break;
  case "forgotten":
    forget();
    break;
  case "stopped":
    await system.stop();
    break;
  case "two": {
    const other = await startSystem({ logger: false });
    handleSignals(other);
    const slow = await other.startChild<typeof Stubborn>({ id: "slow", actor });
    other.on("actor_exited", () => say("slow handled:", other.stats(slow).mailbox.handled));
    other.on("system_stopped", () => say("the other stopped"));
    for (let i = 0; i < 30; i++) await slow.cast("work", 10);
    break;
  }
  case "exit_code":
    process.exitCode = 3;
    break;
  case "logged":
  case "uncaught":
    setImmediate(raise, "uncaught");
    break;
  case "rejected":
    void Promise.reject(new Error("rejected"));
    break;
  case "uncaught_meanwhile":
    for (let i = 0; i < 20; i++) await first.cast("work", 10);
    after(() => setImmediate(raise, "meanwhile"));
    break;
  case "uncaught_then_signals":
    for (let i = 0; i < 40; i++) await first.cast("work", 10);
    setImmediate(raise, "uncaught");
    break;
}
say("ready");
