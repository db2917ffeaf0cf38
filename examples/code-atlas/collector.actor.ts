import { type DeferredReply, defineActor } from "@mini-otp/worker-host";
import { type AtlasSummary, addFile, emptyAtlas, summarize } from "./atlas.js";
import { type FactSlice, SliceAssembly } from "./fact-slices.js";

/** Merges what the parsers find. Facts may come in any order and more than once. */
export default defineActor({
  init: () => ({
    atlas: emptyAtlas(),
    assembly: new SliceAssembly(),
    expected: undefined as number | undefined,
    summary: undefined as AtlasSummary | undefined,
    waiting: [] as DeferredReply[],
  }),
  handlers: {
    facts({ state }, slices: FactSlice[]): void {
      for (const slice of slices) {
        const facts = state.assembly.add(slice);
        if (facts !== undefined) addFile(state.atlas, facts);
      }
      answer(state);
    },
    /** The walk is over: so many files are in the tree, so many entries could not be read. */
    expect({ state }, files: number, unreadable: number): void {
      state.expected = files;
      state.atlas.unreadable = unreadable;
      answer(state);
    },
    progress({ state }) {
      return { files: state.atlas.files.size, bytes: state.atlas.bytes };
    },
    /** Answered when all files have arrived. */
    result(ctx): AtlasSummary {
      ctx.state.waiting.push(ctx.deferReply());
      answer(ctx.state);
      return undefined as never;
    },
  },
});

interface State {
  readonly atlas: ReturnType<typeof emptyAtlas>;
  readonly expected: number | undefined;
  summary: AtlasSummary | undefined;
  readonly waiting: DeferredReply[];
}

function answer(state: State): void {
  if (state.expected !== state.atlas.files.size || state.waiting.length === 0) return;
  state.summary ??= summarize(state.atlas);
  for (const deferred of state.waiting.splice(0)) deferred.reply(state.summary);
}
