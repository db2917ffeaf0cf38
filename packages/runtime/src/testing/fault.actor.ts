import { defineActor } from "@mini-otp/worker-host";

/** The faults by name. None of them returns. */
const FAULTS: Readonly<Record<string, () => unknown>> = {
  crash() {
    throw new Error("a crash on demand");
  },
  reject() {
    void Promise.reject(new Error("a rejection on demand"));
    return new Promise(() => {});
  },
  hang() {
    for (;;);
  },
  stall: () => new Promise(() => {}),
  leak() {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 1000 }, (_, index) => ({ index })));
  },
  leakOffHeap() {
    const kept: Buffer[] = [];
    for (;;) kept.push(Buffer.alloc(4 * 1024 * 1024, 1));
  },
  exit: () => process.exit(7),
};

/** The `args` of an actor of `faults`. */
export interface FaultArgs {
  /** Where the actor fails by itself. Default: nowhere, only in `fail`. */
  readonly failIn?: "init" | "terminate";
  /** It fails in this many incarnations, the first ones. Default: in all. */
  readonly incarnations?: number;
}

const fault = FAULTS[new URL(import.meta.url).searchParams.get("fault") ?? ""];
if (fault === undefined) throw new TypeError(`no such fault; there are: ${Object.keys(FAULTS).join(", ")}`);

export default defineActor({
  init: async (args: FaultArgs | undefined, ctx) => {
    const { failIn, incarnations = Infinity } = args ?? {};
    const isDue = ctx.incarnation <= incarnations;
    if (failIn === "init" && isDue) await fault();
    return { failsInTerminate: failIn === "terminate" && isDue, isDue };
  },
  handlers: {
    /** An actor that is well answers "pong". */
    ping: () => "pong" as const,
    incarnation: (ctx) => ctx.incarnation,
    /** Fails now; in an incarnation after the failing ones it answers "well". */
    async fail(ctx) {
      if (ctx.state.isDue) await fault();
      return "well" as const;
    },
  },
  async terminate(ctx) {
    if (ctx.state.failsInTerminate) await fault();
  },
});
