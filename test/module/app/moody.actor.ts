import { defineActor } from "@mini-otp/worker-host";
import { greet } from "./greeting.js";

// What cannot be had by leaving the types away.
enum Mood {
  Happy = "hello",
}

export default defineActor({
  handlers: {
    greet(_ctx, name: string): string {
      return `${Mood.Happy}, ${greet(name)}`;
    },
    fail(): never {
      throw new TypeError("on line fifteen");
    },
  },
});
