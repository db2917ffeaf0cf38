import { type ActorRef, defineActor } from "@mini-otp/worker-host";

/** Both halves of the pair. A writer's session is known to one incarnation of its store and to no other. */
export default defineActor({
  init: async (args: { store?: ActorRef }) => ({
    sessions: 0,
    session: args.store === undefined ? undefined : await args.store.call("open"),
  }),
  handlers: {
    open(ctx) {
      return `session ${++ctx.state.sessions} of incarnation ${ctx.incarnation}`;
    },
    session(ctx) {
      return ctx.state.session;
    },
    crash() {
      throw new Error("the store is broken");
    },
  },
});
