import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type Collector from "./collector.actor.js";
import { type FactSlice, sizeOfFacts, sliceFacts } from "./fact-slices.js";
import type { PlannedFault } from "./fault-plan.js";
import { strike } from "./faults.js";
import type Feeder from "./feeder.actor.js";
import { readFacts } from "./read-facts.js";
import type { SourceFile } from "./walk-tree.js";

/** Facts are sent when so much has come together: a quarter of the collector's mailbox is a message's limit. */
const MESSAGE_BYTES = 128 * 1024;

export interface ParserArgs {
  readonly root: string;
  readonly index: number;
  readonly collector: ActorRef<typeof Collector>;
  readonly faults: readonly PlannedFault[];
}

/** Reads and parses batches of files, one at a time, and asks the feeder for more after each. */
export default defineActor({
  init: ({ root, index, collector, faults }: ParserArgs) => {
    return { root, index, collector, faults, batches: 0 };
  },
  handlers: {
    parse(ctx, batch: SourceFile[], feeder: ActorRef<typeof Feeder>): void {
      const { state } = ctx;
      const nth = ++state.batches;
      const fault = state.faults.find(
        ({ incarnation, batch }) => incarnation === ctx.incarnation && batch === nth,
      );
      const half = Math.ceil(batch.length / 2);
      let slices: FactSlice[] = [];
      let bytes = 0;
      const flush = () => {
        if (slices.length > 0) state.collector.castSync("facts", slices);
        slices = [];
        bytes = 0;
      };
      for (const [i, file] of batch.entries()) {
        for (const slice of sliceFacts(readFacts(state.root, file), MESSAGE_BYTES)) {
          const size = sizeOfFacts(slice);
          if (bytes + size > MESSAGE_BYTES) flush();
          slices.push(slice);
          bytes += size;
        }
        if (fault !== undefined && i + 1 === half) {
          // What was parsed goes out first: it will come again from the next incarnation.
          flush();
          strike(fault.fault, state.root, batch);
        }
      }
      flush();
      feeder.castSync("more", state.index);
    },
  },
});
