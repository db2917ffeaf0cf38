import { defineActor, type RouterRef } from "@mini-otp/worker-host";

export default defineActor({
  init: () => new Map<string, number>(),
  handlers: {
    count(ctx, word: string) {
      const times = (ctx.state.get(word) ?? 0) + 1;
      ctx.state.set(word, times);
      return times;
    },
    words: (ctx) => ctx.state.size,
    /** Any actor can route: the messages go from here to the members, past the main thread. */
    async countAll(_ctx, counters: RouterRef, text: string) {
      for (const word of text.split(" ")) await counters.forKey(word).cast("count", word);
    },
  },
});
