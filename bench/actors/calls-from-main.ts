import { type ActorRef, startSystem } from "@mini-otp/runtime";
import type { CallConnection, CallPeer } from "../baseline/call-peer.js";
import type Responder from "./responder.actor.js";

/** Main calls one actor. */
export const actorCalls: CallPeer = {
  name: "mini-otp",
  how: "call",
  connect: () => connect((responder) => (message) => responder.call("handle", message)),
};

/** The same, and the actor has a process of its own. */
export const processCalls: CallPeer = {
  name: "mini-otp actor in a process",
  how: "call",
  connect: () => connect((responder) => (message) => responder.call("handle", message), "process"),
};

/** The same by the actor's comlink remote. */
export const actorRemote: CallPeer = {
  name: "mini-otp proxy()",
  how: "ref.proxy()",
  connect: () => connect((responder) => (message) => responder.proxy().handle(message)),
};

async function connect(
  callOf: (responder: ActorRef<typeof Responder>) => CallConnection["call"],
  isolation: "thread" | "process" = "thread",
) {
  const system = await startSystem();
  const responder = await system.startChild<typeof Responder>({
    id: "responder",
    isolation,
    actor: new URL("./responder.actor.js", import.meta.url),
  });
  return { call: callOf(responder), close: () => system.stop() };
}
