import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type Collector from "./collector.actor.js";
import { type FactSlice, sizeOfFacts, sliceFacts } from "./fact-slices.js";
import type { PlannedFault } from "./fault-plan.js";
import { strike } from "./faults.js";
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

/** Whoever feeds a parser: asked for more after each batch. */
export interface Feeding {
  readonly handlers: { more(ctx: unknown, parser: number): void };
}

/** Reads and parses batches of files, one at a time, and sends the facts to the collector. */
export default defineActor({
  init: (args: ParserArgs) => ({ ...args, batches: 0 }),
  handlers: {
    parse(ctx, batch: SourceFile[], feeder: ActorRef<Feeding>): void {
      const { root, index, collector, faults } = ctx.state;
      const nth = ++ctx.state.batches;
      const due = faults.find((f) => f.incarnation === ctx.incarnation && f.batch === nth);
      const middle = Math.floor(batch.length / 2);

      const outgoing = new OutgoingFacts(collector);
      for (const [i, file] of batch.entries()) {
        if (due !== undefined && i === middle) {
          // What was found so far goes out first, and again from the next incarnation.
          outgoing.flush();
          strike(due.fault, root, batch);
        }
        for (const slice of sliceFacts(readFacts(root, file), MESSAGE_BYTES)) outgoing.add(slice);
      }
      outgoing.flush();
      feeder.castSync("more", index);
    },
  },
});

/** Collects slices into messages. Blocks while the collector's mailbox is full. */
class OutgoingFacts {
  #slices: FactSlice[] = [];
  #bytes = 0;

  constructor(private readonly collector: ActorRef<typeof Collector>) {}

  add(slice: FactSlice): void {
    const bytes = sizeOfFacts(slice);
    if (this.#bytes + bytes > MESSAGE_BYTES) this.flush();
    this.#slices.push(slice);
    this.#bytes += bytes;
  }

  flush(): void {
    if (this.#slices.length > 0) this.collector.castSync("facts", this.#slices);
    this.#slices = [];
    this.#bytes = 0;
  }
}
