import { renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type ActorRef, type Logger, startSystem } from "@mini-otp/runtime";
import { eventually } from "../../support/eventually.js";

/** The actor in TypeScript, which imports a file by the name that it will have when it is built. */
const actor = (step: string) => `
  import { defineActor, type ActorContext } from "@mini-otp/worker-host";
  import { base } from "./base.js";
  interface State { count: number }
  export default defineActor({
    init: (): State => ({ count: 0 }),
    handlers: {
      step: (): number => base + ${step},
      add: (ctx: ActorContext<State>): number => (ctx.state.count += base + ${step}),
    },
  });`;

/**
 * Edits the files of `folder` while they run, and returns what the actor has said after each edit: good, of the file
 * that it imports, broken, good.
 */
export async function scenario(folder: URL): Promise<unknown[]> {
  const save = (file: string, text: string): void => {
    const path = fileURLToPath(new URL(file, folder));
    writeFileSync(`${path}~`, text);
    renameSync(`${path}~`, path);
  };
  save("base.ts", "export const base: number = 0;");
  save("live.actor.ts", actor("1"));
  let warned: (message: string) => void = () => {};
  const silent = () => {};
  const warn = (_fields: unknown, message?: string): void => warned(String(message));
  const logger: Logger = { trace: silent, debug: silent, info: silent, warn, error: warn, fatal: warn };
  await using system = await startSystem({ logger, dev: { watch: true } });
  const ref: ActorRef = await system.startChild({ id: "live", actor: new URL("live.actor.js", folder) });
  const said: unknown[] = [await ref.call("add")];
  const adds = async (step: number): Promise<void> => {
    await eventually(async () => (await ref.call("step")) === step, 60_000);
    said.push(await ref.call("add"));
  };
  save("live.actor.ts", actor("10"));
  await adds(10);
  save("base.ts", "export const base: number = 100;");
  await adds(110);
  const line = new Promise<string>((resolve) => {
    warned = resolve;
  });
  save("live.actor.ts", "export default defineActor({");
  // tsx names the file that the actor's URL names, and then the one that it has found for it.
  const told = /1 actor kept the old code: .*live\.actor\.(?:ts failed to load|js failed to load: .*live\.actor\.ts)/s;
  said.push(told.test(await line) || (await line));
  await adds(110);
  save("live.actor.ts", actor("1000"));
  await adds(1100);
  return said;
}
