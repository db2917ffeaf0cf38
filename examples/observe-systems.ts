import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type Observer, startObserver } from "@mini-otp/metrics";
import type { ActorSystem, StopOptions } from "@mini-otp/runtime";
import { report } from "./command-line.js";

/**
 * Shows every system that this program starts on a live page, one after the other, and says where on stderr. A system
 * that is stopped stays until Enter is pressed, so that there is something to look at; not one that a signal stops.
 */
export function observeSystems(port: number): { over(): Promise<void> } {
  let page: Promise<Observer> | undefined;
  let seen = true;

  const look = async (): Promise<void> => {
    await page;
    process.stderr.write("press Enter to go on\n");
    seen = true;
    const { stdin } = process;
    if (stdin.readableEnded) return;
    await Promise.race([once(stdin.resume(), "data"), once(stdin, "end")]);
    stdin.pause();
  };
  subscribe("mini-otp:system_started", (message) => {
    const { system } = message as { system: ActorSystem };
    const before = page;
    page =
      before === undefined ? open(system, port) : before.then((last) => last.close()).then(() => open(system, port));
    seen = false;
    const stop = system.stop.bind(system);
    system.stop = async (options?: StopOptions) => {
      if (options === undefined && !seen) await look();
      return stop(options);
    };
  });
  return {
    // A system may have ended by itself.
    over: async () => {
      if (!seen) await look();
      await (await page)?.close();
    },
  };
}

async function open(system: ActorSystem, port: number): Promise<Observer> {
  // The step knows nothing of the page and is under way: without the page that was asked for it ends here.
  const page = await startObserver(system, { port }).catch((error) => process.exit(report("tour", error)));
  process.stderr.write(`observer: ${page.url}/#token=${page.token}\n`);
  return page;
}
