import { type ActorRef, defineActor } from "@mini-otp/worker-host";

const nowMs = (): number => performance.timeOrigin + performance.now();

/** An actor that tells when it crashed, and when it handled a message. */
export default defineActor({
  handlers: {
    crash(): never {
      throw Object.assign(new Error("bench"), { atMs: nowMs() });
    },
    handledAtMs: nowMs,
    ping: () => 1,
    /** Round trips of this actor with another, back to back: how many in `forMs`. */
    rally(_ctx, peer: ActorRef, forMs: number): number {
      const end = performance.now() + forMs;
      let rounds = 0;
      while (performance.now() < end) {
        for (let i = 0; i < 100; i++) peer.callSync("ping");
        rounds += 100;
      }
      return rounds;
    },
  },
});
