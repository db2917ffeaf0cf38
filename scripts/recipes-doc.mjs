// Writes the programs of examples/recipes into the pages of docs/recipes, where a comment `<!-- file: path -->` asks for one.
// The examples of the workspace import the packages. A reader has installed `mini-otp`, so the pages import from that.
// Usage: node scripts/recipes-doc.mjs [--check]. With --check it writes nothing; the exit code is 1 when a page is out of date.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { keepPages } from "./written-pages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const ASKED = /<!-- file: (\S+) -->\n(?:\n```ts\n[\s\S]*?\n```\n)?/g;

const pages = readdirSync(`${root}docs/recipes`).filter((name) => name.endsWith(".md"));
keepPages(
  Object.fromEntries(
    pages.map((name) => {
      const path = `docs/recipes/${name}`;
      const page = readFileSync(root + path, "utf8");
      const filled = page.replace(ASKED, (_, file) => {
        const code = readFileSync(`${root}examples/recipes/${file}`, "utf8").trimEnd();
        return `<!-- file: ${file} -->\n\n\`\`\`ts\n${byFacade(code)}\n\`\`\`\n`;
      });
      return [path, filled];
    }),
  ),
  "pnpm docs:recipes",
);

function byFacade(code) {
  const entries = { "worker-host": "/actor", runtime: "", "runtime/testing": "/testing", metrics: "/metrics" };
  return code.replaceAll(/"@mini-otp\/([a-z/-]+)"/g, (imported, name) =>
    Object.hasOwn(entries, name) ? `"mini-otp${entries[name]}"` : imported,
  );
}
