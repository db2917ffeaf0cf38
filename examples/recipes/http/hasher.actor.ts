import { pbkdf2Sync } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { defineActor } from "@mini-otp/worker-host";

const ROUNDS = 20;

/** Hashes passwords: work for the CPU that would hold up every other request on main. */
export default defineActor({
  init: () => ({ hashed: 0, abandoned: 0 }),
  handlers: {
    async hash(ctx, password: string, salt: string) {
      let digest = password;
      for (let round = 0; round < ROUNDS; round++) {
        digest = pbkdf2Sync(digest, salt, 4_000, 32, "sha256").toString("hex");
        await turn();
        // The client has hung up: the rest would be for nothing.
        if (ctx.signal.aborted) {
          ctx.state.abandoned++;
          return undefined;
        }
      }
      ctx.state.hashed++;
      return digest;
    },
    counts: (ctx) => ctx.state,
  },
});
