import { type ActorContext, defineActor } from "@mini-otp/worker-host";

/** What a fault program does. In a bare worker there is no context. */
export type Fault = (ctx?: ActorContext<unknown>) => unknown;

/** An actor that does `fault` when it is told to, and answers pings. */
export function faultActor(fault: Fault) {
  return defineActor({
    init: () => ({}),
    handlers: {
      run(ctx): unknown {
        return fault(ctx);
      },
      ping(ctx): number {
        return ctx.incarnation;
      },
    },
  });
}
