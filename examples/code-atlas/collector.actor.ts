import { type DeferredReply, defineActor } from "@mini-otp/worker-host";
import { Atlas, type AtlasSummary } from "./atlas.js";
import type { FileFacts } from "./parse-file.js";

interface State {
  readonly atlas: Atlas;
  asked?: { readonly files: number; readonly unreadable: number; readonly reply: DeferredReply };
}

/** Merges what the parsers find. Facts may come in any order and more than once. */
export default defineActor({
  init: (): State => ({ atlas: new Atlas() }),
  handlers: {
    facts({ state }, facts: FileFacts[]): void {
      for (const file of facts) state.atlas.add(file);
      answer(state);
    },
    /** Answered when so many files have arrived. */
    result(ctx, files: number, unreadable: number): AtlasSummary {
      ctx.state.asked = { files, unreadable, reply: ctx.deferReply() };
      answer(ctx.state);
      return undefined as never;
    },
  },
});

function answer({ atlas, asked }: State): void {
  if (asked?.files === atlas.files) asked.reply.reply(atlas.summarize(asked.unreadable));
}
