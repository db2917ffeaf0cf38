import { type DeferredReply, defineActor } from "@mini-otp/worker-host";

interface State {
  missing: number;
  done: DeferredReply | undefined;
}

/** Counts what it handles. */
export default defineActor({
  init: (): State => ({ missing: 0, done: undefined }),
  handlers: {
    /** Replies when `count` more messages have been handled. */
    expect(ctx, count: number): void {
      ctx.state.missing = count;
      ctx.state.done = ctx.deferReply();
    },
    take(ctx, _payload: unknown) {
      if (--ctx.state.missing === 0) ctx.state.done?.reply();
    },
  },
});
