// Starts the actor whose file is named on the command line; prints what it answers, and where it says that it failed.
import { startSystem } from "@mini-otp/runtime";

const system = await startSystem({ logger: false });
const greeter = await system.startChild({
  id: "greeter",
  actor: new URL(process.argv[2], import.meta.url),
  startTimeoutMs: 30_000,
  ...(process.env.RESTRICTED === undefined ? {} : { permissions: {} }),
});
console.log(await greeter.call("greet", "Ada"));
const { reason } = await greeter.call("fail").catch((error) => error);
console.log(/[\w.]+\.actor\.\w+:\d+/.exec(reason.error.stack)?.[0]);
await system.stop();
