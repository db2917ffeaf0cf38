import { defineActor } from "@mini-otp/worker-host";
import type { Remote } from "comlink";

/** Asks the callback that it is given. */
export default defineActor({
  handlers: {
    ask: (_ctx, answer: Remote<() => number>) => answer(),
  },
});
