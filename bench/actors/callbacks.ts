import { startSystem } from "@mini-otp/runtime";
import type { CallPeer } from "../baseline/call-peer.js";
import type Asker from "./asker.actor.js";

/** Main calls an actor with a callback, which the actor calls before it answers. */
export const actorCallback: CallPeer = {
  name: "mini-otp proxy()",
  how: "ref.proxy(), Comlink.proxy(callback)",
  async connect() {
    const { default: library } = await import("comlink");
    const system = await startSystem();
    const actor = new URL("./asker.actor.js", import.meta.url);
    const asker = (await system.startChild<typeof Asker>({ id: "asker", actor })).proxy();
    return {
      call: (message) => asker.ask(library.proxy(() => message.id) as never),
      close: () => system.stop(),
    };
  },
};
