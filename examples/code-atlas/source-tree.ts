import { type Dirent, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A file to be indexed. */
export interface SourceFile {
  /** Relative to the root, with `/` between the names on every platform. */
  readonly path: string;
  readonly bytes: number;
}

export interface SourceTree {
  readonly root: string;
  readonly files: readonly SourceFile[];
  readonly bytes: number;
  /** Folders that cannot be listed and files that cannot be looked at. */
  readonly unreadable: number;
}

/**
 * The JavaScript and TypeScript files under `root`, always in the same order. Each is read once, so that every run
 * after this finds it in the page cache. Symbolic links are not followed, so each real file comes once and a loop ends.
 */
export function readTree(root: string, onFile: () => void): SourceTree {
  const files: SourceFile[] = [];
  let unreadable = 0;
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    let entries: Dirent[] = [];
    try {
      entries = readdirSync(join(root, folder), { withFileTypes: true });
    } catch {
      unreadable++;
    }
    const names = new Set<string>();
    for (const entry of entries.sort((a, b) => (a.name < b.name ? 1 : -1))) {
      // Names that are not UTF-8 can decode to one and the same name, which can be read once at most.
      if (names.size === names.add(entry.name).size) continue;
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(path);
      if (!entry.isFile() || !/\.(?:[cm]?[jt]s|[jt]sx)$/.test(path)) continue;
      try {
        files.push({ path, bytes: lstatSync(join(root, path)).size });
      } catch {
        unreadable++;
        continue;
      }
      try {
        readFileSync(join(root, path));
      } catch {
        // The index will say so.
      }
      onFile();
    }
  }
  return { root, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0), unreadable };
}

/** What goes into one message to a parser: a bound in bytes, and on a small tree fewer files, so that each gets some. */
export function batchesOf({ files }: SourceTree, parsers: number): SourceFile[][] {
  const limit = Math.min(16, Math.ceil(files.length / (parsers * 8)));
  const batches: SourceFile[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const file of files) {
    if (bytes + file.bytes > BATCH_BYTES || batches.at(-1)?.length === limit) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(file);
    bytes += file.bytes;
  }
  return batches;
}

const BATCH_BYTES = 256 * 1024;
