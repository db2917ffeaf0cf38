import { startSystem } from "@mini-otp/runtime";
import type { CallPeer } from "../baseline/call-peer.js";
import type Responder from "./responder.actor.js";

/** Main calls one actor. */
export const actorCalls: CallPeer = {
  name: "mini-otp",
  how: "call",
  async connect() {
    const system = await startSystem();
    const responder = await system.startChild<typeof Responder>({
      id: "responder",
      actor: new URL("./responder.actor.js", import.meta.url),
    });
    return { call: (message) => responder.call("handle", message), close: () => system.stop() };
  },
};
