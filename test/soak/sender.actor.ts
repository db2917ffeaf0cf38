import { type ActorRef, defineActor, isActorError } from "@mini-otp/worker-host";
import { type Death, die } from "./deaths.js";
import { checksumOf, Ledger } from "./ledger.js";
import type Receiver from "./receiver.actor.js";

const ledger = Ledger.open();
const BURST = 32;
/** Bodies of 0 to 4 KB: some records wrap around the ring's end, and some bursts fill it. */
const LONGEST = 4096;

export default defineActor({
  init: (args: { sender: number; receivers: readonly ActorRef<typeof Receiver>[] }, ctx) => {
    ledger.begin(args.sender);
    ctx.self.tryCast("pump", ctx.incarnation);
    return { ...args, sent: 0 };
  },
  handlers: {
    /** Sends a burst, then queues for the next behind whatever else is waiting. */
    pump(ctx, incarnation: number): void {
      if (incarnation !== ctx.incarnation) return;
      const { sender, receivers } = ctx.state;
      for (let i = 0; i < BURST && !ledger.over; i++) {
        const receiver = ++ctx.state.sent % receivers.length;
        const seq = ledger.attempt(sender, receiver);
        const body = "x".repeat((seq * 7919) % (seq % 16 === 0 ? LONGEST : 64));
        try {
          receivers[receiver].castSync("message", sender, seq, body, checksumOf(sender, seq, body));
          ledger.accepted(sender, receiver);
        } catch (error) {
          // Its mailbox was full for too long: nothing was sent.
          if (!isActorError(error, "ERR_MAILBOX_FULL")) throw error;
          ledger.refused(sender, receiver);
        }
      }
      if (!ledger.over) ctx.self.tryCast("pump", incarnation);
    },
    die(_ctx, death: Death): unknown {
      return die(death);
    },
  },
});
