import { type ActorRef, type DeferredReply, defineActor } from "@mini-otp/worker-host";
import type { SmallObject } from "../payloads.js";
import { initial, type Kept, Wander } from "./sizes.js";

/** All light actors of this thread: they share its modules. */
const here: ActorRef[] = [];
const wander = new Wander();
let left = 0;
let resting = 0;
let tokens = 0;
let done: DeferredReply | undefined;

/** Sends what it gets on to another actor of its thread. */
export default defineActor({
  init(_args: unknown, ctx): Kept {
    here.push(ctx.self);
    return initial(here.length);
  },
  handlers: {
    /** Copied to the next actor, until so many have been handled in all. */
    token(ctx, message: SmallObject) {
      ctx.state.handled++;
      ctx.state.last = message;
      if (left > 0) {
        left--;
        const result = here[wander.next(here.length)].tryCast("token", message);
        if (result !== "ok") throw new Error(`a token was refused: ${result}`);
      } else if (++resting === tokens) done?.reply();
    },
    among(ctx, under: number, count: number, message: SmallObject): DeferredReply {
      const reply = ctx.deferReply();
      done = reply;
      tokens = under;
      resting = 0;
      left = Math.max(0, count - under);
      for (let token = 0; token < under; token++) here[wander.next(here.length)].tryCast("token", message);
      return reply;
    },
    take({ state }, message: SmallObject) {
      state.handled++;
      state.last = message;
      return message.id;
    },
    heapUsed: () => {
      (globalThis as { gc?: () => void }).gc?.();
      return process.memoryUsage().heapUsed;
    },
  },
});
