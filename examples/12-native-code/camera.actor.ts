import { defineActor } from "@mini-otp/worker-host";

/** As an actor whose addon is not to be trusted; what the addon does wrong is done without one here. */
export default defineActor({
  init: () => ({ frames: 0 }),
  handlers: {
    frame: ({ state }) => ++state.frames,
    /** A pointer to nowhere: no code in JavaScript can catch that. */
    segfault: () => void process.kill(process.pid, "SIGSEGV"),
    /** What an addon allocates is in no heap: Buffers stand for it. */
    leak({ state }) {
      const kept: Buffer[] = [];
      for (;;) {
        kept.push(Buffer.alloc(2 ** 20, 1));
        state.frames = kept.length;
      }
    },
  },
});
