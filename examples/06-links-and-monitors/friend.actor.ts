import { type ActorRef, defineActor } from "@mini-otp/worker-host";

export default defineActor({
  init: () => ({ told: [] as string[] }),
  handlers: {
    link(ctx, other: ActorRef) {
      ctx.link(other);
    },
    watch(ctx, other: ActorRef) {
      ctx.monitor(other);
    },
    trap(ctx) {
      ctx.trapExit(true);
    },
    told(ctx) {
      return ctx.state.told;
    },
    crash() {
      throw new Error("sorry");
    },
  },
  /** What monitors and trapped links have to say. */
  info(ctx, { type, id, reason }) {
    ctx.state.told.push(`${type} from ${id}: ${reason.kind}`);
  },
});
