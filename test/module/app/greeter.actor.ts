import { defineActor } from "@mini-otp/worker-host";
import { greet } from "./greeting.js";

interface State {
  greeted: string[];
}

export default defineActor({
  init: (): State => ({ greeted: [] }),
  handlers: {
    greet(ctx, name: string): string {
      ctx.state.greeted.push(name);
      return greet(name as string);
    },
    fail(): never {
      throw new TypeError("on line sixteen");
    },
  },
});
