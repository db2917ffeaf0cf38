import { startSystem } from "@mini-otp/runtime";
import type Moody from "./moody.actor.js";

enum Exit {
  Clean = 0,
}

const system = await startSystem({ logger: false });
const greeter = await system.startChild<typeof Moody>({
  id: "greeter",
  actor: new URL("./moody.actor.js", import.meta.url),
  startTimeoutMs: 30_000,
});
console.log(await greeter.call("greet", "Ada"));
const { reason } = await greeter.call("fail").catch((error: unknown) => error as { reason: { error: Error } });
console.log(/[\w.]+\.actor\.\w+:\d+/.exec(reason.error.stack ?? "")?.[0]);
await system.stop();
process.exitCode = Exit.Clean;
