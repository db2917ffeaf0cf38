import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type Collector from "./collector.actor.js";
import { type Fault, strike } from "./faults.js";
import { readFacts } from "./parse-file.js";
import type { SourceFile } from "./source-tree.js";

export interface ParserArgs {
  readonly root: string;
  readonly collector: ActorRef<typeof Collector>;
  /** The n-th strikes in the n-th incarnation. */
  readonly faults: readonly Fault[];
}

/** Reads and parses batches of files, one at a time, and sends the facts to the collector. */
export default defineActor({
  init: (args: ParserArgs) => args,
  handlers: {
    parse({ state, incarnation }, batch: SourceFile[]): void {
      const facts = batch.map((file) => readFacts(state.root, file));
      const fault = state.faults[incarnation - 1];
      if (fault !== undefined) {
        // The next incarnation handles this batch again, and sends these facts again.
        state.collector.castSync("facts", facts.slice(0, -1));
        strike(fault);
      }
      // Blocks while the collector's mailbox is full.
      state.collector.castSync("facts", facts);
    },
  },
});
