import { startSystem } from "@mini-otp/runtime";
import type Parent from "../../attacks/fixtures/parent.actor.js";

const print = (_: unknown, message: string): void => console.log(message);
const system = await startSystem({ logger: { info: print, warn: print, error: print } as never });
const actor = new URL("../../attacks/fixtures/parent.actor.js", import.meta.url);
for (const id of ["first", "second"]) {
  const parent = await system.startChild<typeof Parent>({ id, actor });
  await parent.call("startAndWait");
}
await system.stop();
