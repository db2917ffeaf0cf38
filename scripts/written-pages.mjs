import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Puts content between the comments `<!-- name: start -->` and `<!-- name: end -->` of a text. */
export function replaceBlock(text, name, content) {
  const [start, end] = [`<!-- ${name}: start -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(start), text.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`there is no block ${start} … ${end}`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}

/**
 * Writes pages that are made from the code. With `--check` on the command line it compares them instead, and a
 * difference makes the exit code 1.
 *
 * @param {Record<string, string>} pages texts by their path in the project
 * @param {string} command what writes them
 */
export function keepPages(pages, command) {
  for (const [path, text] of Object.entries(pages)) {
    const file = join(root, path);
    if (!process.argv.includes("--check")) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    } else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
      console.error(`${path} is not what the code says: ${command}`);
      process.exitCode = 1;
    }
  }
}
