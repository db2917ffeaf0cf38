import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { defineActor } from "@mini-otp/worker-host";
import type { Item } from "./item.js";

/** Works on one item after the other, and writes what came of each to a file of its own. */
export default defineActor({
  init: ({ file, rounds }: { file: string; rounds: number }) => ({ output: openSync(file, "a"), rounds }),
  handlers: {
    take({ state }, { id, text }: Item) {
      let digest = text;
      for (let i = 0; i < state.rounds; i++) digest = createHash("sha256").update(digest).digest("hex");
      writeSync(state.output, `${JSON.stringify({ id, digest })}\n`);
    },
  },
  /** Runs when everything that was accepted has been worked on. */
  terminate({ state }) {
    fsyncSync(state.output);
    closeSync(state.output);
  },
});
