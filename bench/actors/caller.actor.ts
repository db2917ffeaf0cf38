import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type { Round } from "../contender.js";
import { smallObject } from "../payloads.js";
import { pause, RoundTripTimes } from "../round-trip-times.js";
import type Responder from "./responder.actor.js";

type To = ActorRef<typeof Responder>;

export default defineActor({
  handlers: {
    callSync(_ctx, to: To, count: number): Round {
      return callInARow(to, count);
    },
    async call(_ctx, to: To, count: number): Promise<Round> {
      const message = smallObject();
      const times = new RoundTripTimes(count);
      do {
        await to.call("handle", message);
      } while (!times.done());
      return times.round();
    },
    /** With a pause before each call, so that the callee has gone to sleep. */
    callSyncParked(_ctx, to: To, count: number, pauseMs: number): Round {
      const message = smallObject();
      const times = new RoundTripTimes(count);
      do {
        pause(pauseMs);
        times.restart();
        to.callSync("handle", message);
      } while (!times.done());
      return times.round();
    },
    async callParked(_ctx, to: To, count: number, pauseMs: number): Promise<Round> {
      const message = smallObject();
      const times = new RoundTripTimes(count);
      do {
        pause(pauseMs);
        times.restart();
        await to.call("handle", message);
      } while (!times.done());
      return times.round();
    },
    /** While `waiting` messages wait in this actor's own mailbox. */
    callSyncBehind(ctx, to: To, count: number, waiting: number): Round {
      for (let i = 0; i < waiting; i++) ctx.self.castSync("ignore");
      return callInARow(to, count);
    },
    ignore() {},
  },
});

function callInARow(to: To, count: number): Round {
  const message = smallObject();
  const times = new RoundTripTimes(count);
  do {
    to.callSync("handle", message);
  } while (!times.done());
  return times.round();
}
