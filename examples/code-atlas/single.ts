import { type AtlasSummary, addFile, emptyAtlas, summarize } from "./atlas.js";
import { readFacts } from "./read-facts.js";
import { walkTree } from "./walk-tree.js";

/** The whole work on the calling thread: the same functions as the actors use, in a loop. */
export function indexTree(root: string, onFile: (bytes: number) => void): AtlasSummary {
  const atlas = emptyAtlas();
  for (const file of walkTree(root, atlas)) {
    addFile(atlas, readFacts(root, file));
    onFile(file.bytes);
  }
  return summarize(atlas);
}
