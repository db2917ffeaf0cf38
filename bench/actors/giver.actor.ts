import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type { Round } from "../contender.js";
import { gone, transferredBuffer, whole } from "../payloads.js";
import { RoundTripTimes } from "../round-trip-times.js";
import type GiveBack from "./give-back.actor.js";

/** Gives a buffer to another actor, gets it back, and gives it away again. */
export default defineActor({
  handlers: {
    give(_ctx, to: ActorRef<typeof GiveBack>, count: number): Round {
      let buffer = transferredBuffer();
      const times = new RoundTripTimes(count);
      do {
        const given = buffer;
        buffer = whole(to.with({ transfer: [given] }).callSync("giveBack", given));
        gone(given);
      } while (!times.done());
      return times.round();
    },
  },
});
