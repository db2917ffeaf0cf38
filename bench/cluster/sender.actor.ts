import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type Counter from "./counter.actor.js";

type Target = ActorRef<typeof Counter>;

/** Sends from a thread of its own, as actors do. */
export default defineActor({
  handlers: {
    /** `bytes` of 0: a small object. */
    casts(_ctx, targets: readonly Target[], count: number, bytes: number) {
      const blob = bytes === 0 ? undefined : new Uint8Array(bytes);
      for (let i = 0; i < count; i++) {
        const message = blob ?? { id: i, name: "abcdefgh", ok: true, score: 1.5 };
        targets[i % targets.length].castSync("take", message);
      }
    },
    /** Returns how long each took, in µs. */
    calls(_ctx, target: Target, count: number) {
      const times = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const since = performance.now();
        target.callSync("ask", i);
        times[i] = (performance.now() - since) * 1000;
      }
      return times;
    },
  },
});
