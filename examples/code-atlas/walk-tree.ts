import { type Dirent, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A file to be indexed. */
export interface SourceFile {
  /** Relative to the walked root, with `/` between the names on every platform. */
  readonly path: string;
  readonly bytes: number;
}

export interface WalkTally {
  /** Folders that cannot be listed and files that cannot be looked at. */
  unreadable: number;
}

const SOURCE_NAME = /\.(?:[cm]?[jt]s|[jt]sx)$/;

/**
 * The JavaScript and TypeScript files under `root`, one at a time and always in the same order.
 * Symbolic links are not followed, so each real file comes once and a loop ends.
 * What cannot be read is counted in `tally` and skipped.
 */
export function* walkTree(root: string, tally: WalkTally): Generator<SourceFile, void, undefined> {
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = list(join(root, folder), tally);
    const inside: string[] = [];
    for (const entry of entries) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) inside.push(path);
      else if (entry.isFile() && SOURCE_NAME.test(entry.name)) {
        const bytes = sizeOf(join(root, path), tally);
        if (bytes !== undefined) yield { path, bytes };
      }
    }
    folders.push(...inside.reverse());
  }
}

function list(folder: string, tally: WalkTally): Dirent[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    // Names that are not UTF-8 can decode to one and the same name, which can be read once at most.
    return entries.filter((entry, i) => i === 0 || entry.name !== entries[i - 1]?.name);
  } catch {
    tally.unreadable++;
    return [];
  }
}

function sizeOf(path: string, tally: WalkTally): number | undefined {
  try {
    return lstatSync(path).size;
  } catch {
    tally.unreadable++;
    return undefined;
  }
}
