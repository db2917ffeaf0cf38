import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { defineActor } from "@mini-otp/worker-host";

/** Puts a new journal in the place of the old one, as a whole: a kill at any moment leaves one or the other. */
function compact(file: string, count: number): number {
  const [journal, folder] = [openSync(`${file}.new`, "w"), openSync(dirname(file), "r")];
  writeSync(journal, `${count}\n`);
  fsyncSync(journal);
  renameSync(`${file}.new`, file);
  fsyncSync(folder);
  closeSync(folder);
  return journal;
}

/** The last line that is whole: a kill may have cut off the one behind it. */
const load = (file: string): number => Number(readFileSync(file, { encoding: "utf8", flag: "a+" }).split("\n").at(-2));

export default defineActor({
  init({ file }: { file: string }) {
    const count = load(file) || 0;
    return { file, count, journal: compact(file, count) };
  },
  handlers: {
    /** Written down before it is answered. The kernel keeps that over a kill; over a power cut only what has been synced. */
    add({ state }, by: number) {
      state.count += by;
      writeSync(state.journal, `${state.count}\n`);
      return state.count;
    },
  },
  terminate({ state }) {
    closeSync(state.journal);
    closeSync(compact(state.file, state.count));
  },
});
