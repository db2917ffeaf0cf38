import { defineActor } from "@mini-otp/worker-host";

/** One in the cluster: counts what all nodes ask of it. */
export default defineActor({
  init: ({ node }: { readonly node: string }) => ({ node, count: 0 }),
  handlers: {
    add: (ctx, by: number) => (ctx.state.count += by),
    node: (ctx) => ctx.state.node,
  },
});
