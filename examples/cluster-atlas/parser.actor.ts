import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import type Collector from "../code-atlas/collector.actor.js";
import { readFacts } from "../code-atlas/parse-file.js";
import type { SourceFile } from "../code-atlas/source-tree.js";

export interface ParserArgs {
  readonly root: string;
  readonly collector: ActorRef<typeof Collector>;
}

/** Parses a batch of files. Its reply says that the collector has the facts, so a batch without one is parsed again elsewhere. */
export default defineActor({
  init: (args: ParserArgs) => args,
  handlers: {
    async parse({ state: { root, collector } }, batch: SourceFile[]): Promise<number> {
      await collector.with({ timeoutMs: 60_000 }).call(
        "facts",
        batch.map((file) => readFacts(root, file)),
      );
      return batch.length;
    },
  },
});
