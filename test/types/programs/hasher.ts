import { type ActorRef, defineActor, ignore } from "@mini-otp/worker-host";

export interface Batch {
  readonly texts: readonly string[];
  readonly into?: Map<string, Uint8Array>;
}

class Account {
  constructor(readonly balance: number) {}
  withdraw(amount: number): Account {
    return new Account(this.balance - amount);
  }
}

/** The type of another actor. */
export interface Helper {
  readonly init: (args: { depth: number }) => { depth: number };
  readonly handlers: { help(ctx: unknown, text: string): number };
}

/** One of everything that a handler can look like. */
export default defineActor({
  init: async (args: { rounds: number }, ctx) => {
    if (ctx.incarnation > 3) return ignore();
    return { rounds: args.rounds, done: 0 };
  },
  handlers: {
    /** Hashes a text as often as `args.rounds` says. */
    hash(ctx, text: string) {
      ctx.state.done++;
      return text.repeat(ctx.state.rounds);
    },
    async later(_ctx, text: string, times?: number) {
      return { text, times: times ?? 1 };
    },
    deferred(ctx, _key: string) {
      return ctx.deferReply<bigint>();
    },
    async helper(ctx) {
      return ctx.startChild<Helper>({ id: "helper", actor: "helper.js", args: { depth: 1 }, restart: "transient" });
    },
    async *lines(_ctx, text: string) {
      for (const line of text.split("\n")) yield { line };
    },
    *words(_ctx, text: string) {
      yield* text.split(" ");
    },
    async chunks(_ctx, text: string) {
      return new Blob([text]).stream() as ReadableStream<Uint8Array>;
    },
    laterLines(ctx) {
      return ctx.deferReply<AsyncIterable<Date>>();
    },
    reset(ctx) {
      ctx.state.done = 0;
    },
    batch(_ctx, batch: Batch, ...more: Batch[]) {
      return [batch, ...more].map(({ texts }) => texts.length);
    },
    keep(_ctx, _value: unknown) {},
    point(_ctx, at: { x: number; y: number }) {
      return at.x + at.y;
    },
    bytes(_ctx, buffer: ArrayBuffer, view?: Uint8Array) {
      return { buffer, view };
    },
    forward(_ctx, to: ActorRef<{ handlers: { put(ctx: unknown, key: string): boolean } }>) {
      return to.call("put", "key");
    },
    onDone(_ctx, _done: () => void) {},
    account(_ctx, _account: Account) {},
    weak(_ctx, _cache: WeakMap<object, string>) {},
    mark(_ctx, _mark: symbol) {},
  },
});
