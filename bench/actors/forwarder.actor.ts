import { type ActorRef, defineActor } from "@mini-otp/worker-host";

/** Passes every message on to the next of the chain. */
export default defineActor({
  init: (args: { next: ActorRef }) => args,
  handlers: {
    pass(ctx, message: unknown) {
      ctx.state.next.castSync("pass", message);
    },
  },
});
