import { type ActorContext, type ActorRef, defineActor } from "@mini-otp/worker-host";
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

interface State extends FeederArgs {
  readonly tally: { files: number; unreadable: number };
  readonly batches: Iterator<SourceFile[], void>;
  /** Was refused by a full mailbox; the next parser that asks gets it. */
  held: SourceFile[] | undefined;
  done: boolean;
}

/**
 * Walks the tree and gives each parser a batch whenever it has finished one: a slow parser holds nobody up, and
 * the walk is never far ahead of the work. A feeder that was restarted walks again from the start.
 */
export default defineActor({
  init: (args: FeederArgs): State => {
    const tally = { files: 0, unreadable: 0 };
    return { ...args, tally, batches: batchesOf(counted(args.root, tally), args.limits), held: undefined, done: false };
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

function* counted(root: string, tally: State["tally"]): Generator<SourceFile, void, undefined> {
  for (const file of walkTree(root, tally)) {
    tally.files++;
    yield file;
  }
}

function feed({ state, self }: ActorContext<State>, parser: number): void {
  const batch = state.held ?? state.batches.next().value;
  state.held = undefined;
  if (batch !== undefined) {
    // Full: the parser asked twice for one batch, before and after a crash. It has enough to do.
    if (state.parsers[parser]?.tryCast("parse", batch, self) !== "ok") state.held = batch;
  } else if (!state.done) {
    state.done = true;
    state.collector.castSync("expect", state.tally.files, state.tally.unreadable);
  }
}
