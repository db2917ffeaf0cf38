import { type ActorRef, startSystem } from "@mini-otp/runtime";
import type { Contender, Round, Runner } from "../contender.js";
import type ChainEnd from "./chain-end.actor.js";
import type Forwarder from "./forwarder.actor.js";

const ROUND_TIMEOUT_MS = 60_000;

/** A message goes from an actor through `length` others and back to where it came from. */
export function actorChain(length: number): Contender {
  return {
    name: "mini-otp",
    how: "castSync",
    async start(): Promise<Runner> {
      const system = await startSystem();
      const end = await system.startChild<typeof ChainEnd>({
        id: "end",
        actor: new URL("./chain-end.actor.js", import.meta.url),
      });
      let next: ActorRef = end;
      for (let i = length; i > 0; i--) {
        const actor = new URL("./forwarder.actor.js", import.meta.url);
        next = await system.startChild<typeof Forwarder>({ id: `forwarder-${i}`, actor, args: { next } });
      }
      const patient = end.with({ timeoutMs: ROUND_TIMEOUT_MS });
      return {
        round: (work): Promise<Round> => patient.call("run", next, work) as Promise<Round>,
        stop: () => system.stop(),
      };
    },
  };
}
