import { type ActorRef, type DeferredReply, defineActor } from "@mini-otp/worker-host";
import type { Round } from "../contender.js";
import { smallObject } from "../payloads.js";
import { RoundTripTimes } from "../round-trip-times.js";

interface State {
  first: ActorRef | undefined;
  times: RoundTripTimes | undefined;
  done: DeferredReply | undefined;
}

/** Both ends of a chain: sends a message into it when the previous one has come out. */
export default defineActor({
  init: (): State => ({ first: undefined, times: undefined, done: undefined }),
  handlers: {
    /** Replies with the times of `count` messages. */
    run(ctx, first: ActorRef, count: number): Round | undefined {
      ctx.state = { first, done: ctx.deferReply(), times: new RoundTripTimes(count) };
      first.castSync("pass", smallObject());
      return undefined;
    },
    pass(ctx, message: unknown) {
      const { first, times, done } = ctx.state;
      if (times?.done() === true) done?.reply(times.round());
      else first?.castSync("pass", message);
    },
  },
});
