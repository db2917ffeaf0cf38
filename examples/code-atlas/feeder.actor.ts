import { type ActorRef, defineActor } from "@mini-otp/worker-host";
import { type BatchLimits, batchesOf } from "./batches.js";
import type Collector from "./collector.actor.js";
import { WINDOW } from "./fault-plan.js";
import type Parser from "./parser.actor.js";
import { type SourceFile, walkTree } from "./walk-tree.js";

export interface FeederArgs {
  readonly root: string;
  readonly limits: BatchLimits;
  readonly parsers: readonly ActorRef<typeof Parser>[];
  readonly collector: ActorRef<typeof Collector>;
}

/**
 * Walks the tree and gives each parser a new batch when it has finished one: a slow parser holds nobody up, and
 * the walk is never far ahead of the work. A feeder that was restarted walks again from the start.
 */
export default defineActor({
  init: (args: FeederArgs) => {
    const tally = { unreadable: 0, files: 0 };
    const counted = function* () {
      for (const file of walkTree(args.root, tally)) {
        tally.files++;
        yield file;
      }
    };
    const batches = batchesOf(counted(), args.limits);
    return { ...args, tally, batches, held: undefined as SourceFile[] | undefined, done: false };
  },
  handlers: {
    start(ctx): void {
      for (let i = 0; i < WINDOW; i++) {
        for (const parser of ctx.state.parsers.keys()) feed(ctx, parser);
      }
    },
    more: feed,
  },
});
