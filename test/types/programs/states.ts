import { defineActor, ignore } from "@mini-otp/worker-host";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

interface Counting {
  count: number;
}

export const plain = defineActor({
  init: () => ({ count: 0 }),
  handlers: {
    add(ctx, by: number) {
      is<typeof ctx.state, { count: number }>(true);
      ctx.state = { count: ctx.state.count + by };
      return ctx.state.count;
    },
  },
  info(ctx, _message) {
    is<typeof ctx.state, { count: number }>(true);
  },
  terminate(ctx, reason) {
    is<typeof ctx.state, { count: number }>(true);
    is<typeof reason.kind extends string ? true : false, true>(true);
  },
  codeChange: (state, fromVersion) => {
    is<typeof fromVersion, string | undefined>(true);
    return { count: Number(state.count) };
  },
});

export const asynchronous = defineActor({
  init: async (args: { from: number }): Promise<Counting> => ({ count: args.from }),
  handlers: {
    read: (ctx) => {
      is<typeof ctx.state, Counting>(true);
      return ctx.state.count;
    },
  },
});

export const maybeIgnored = defineActor({
  init: (args: { from: number } | undefined) => (args === undefined ? ignore() : { count: args.from }),
  handlers: {
    read(ctx) {
      is<typeof ctx.state, { count: number }>(true);
    },
  },
});

export const asynchronousMaybeIgnored = defineActor({
  init: async (args: { from: number } | undefined, ctx) => {
    is<typeof ctx.state, undefined>(true);
    if (args === undefined) return ignore();
    return { count: args.from };
  },
  handlers: {
    read(ctx) {
      is<typeof ctx.state, { count: number }>(true);
    },
  },
});

export const stateless = defineActor({
  handlers: {
    echo(ctx, text: string) {
      is<typeof ctx.state, undefined>(true);
      return text;
    },
  },
});

export const wide = defineActor({
  init: (): Map<string, string[]> => new Map(),
  handlers: {
    put(ctx, key: string, value: string) {
      is<typeof ctx.state, Map<string, string[]>>(true);
      ctx.state.set(key, [...(ctx.state.get(key) ?? []), value]);
    },
  },
});
