import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type FileFacts, parseFile, withoutFacts } from "./parse-file.js";
import type { SourceFile } from "./walk-tree.js";

/** The largest source that is parsed: its syntax tree takes some 300 MiB. */
export const SOURCE_LIMIT = 16 * 1024 * 1024;

/** Reads and parses one file, blocking. Never throws: what goes wrong becomes the file's `error`. */
export function readFacts(root: string, { path, bytes }: SourceFile): FileFacts {
  if (bytes > SOURCE_LIMIT) return withoutFacts(path, bytes, `larger than ${SOURCE_LIMIT} bytes`);
  let content: Buffer;
  try {
    content = readFileSync(join(root, path));
  } catch (error) {
    return withoutFacts(path, bytes, `cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  return parseFile(path, content.toString("utf8"), content.length);
}
