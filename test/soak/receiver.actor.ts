import { defineActor } from "@mini-otp/worker-host";
import { type Death, die } from "./deaths.js";
import { checksumOf, Ledger } from "./ledger.js";

const ledger = Ledger.open();

export default defineActor({
  init: (receiver: number) => ({ receiver }),
  handlers: {
    message({ state }, sender: number, seq: number, body: string, checksum: number): void {
      ledger.received(sender, state.receiver, seq, checksumOf(sender, seq, body) === checksum);
    },
    die(_ctx, death: Death): unknown {
      return die(death);
    },
  },
});
