import { defineActor } from "@mini-otp/worker-host";

const FOREVER = new Int32Array(new SharedArrayBuffer(4));

/** Counts what it is sent. */
export default defineActor({
  init: () => ({ count: 0 }),
  handlers: {
    take(ctx, _message: unknown) {
      ctx.state.count++;
    },
    ask(_ctx, value: number) {
      return value;
    },
    count(ctx) {
      return ctx.state.count;
    },
    reset(ctx) {
      ctx.state.count = 0;
    },
    hang(_ctx, forMs: number) {
      Atomics.wait(FOREVER, 0, 0, forMs);
    },
  },
});
