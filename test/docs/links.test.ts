import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true })
    .map((path) => `docs/${String(path).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".md") && !path.includes("node_modules"))
    .sort(),
];

/** Without code, where brackets and parentheses are the language's. */
function prose(text: string): string {
  return text.replace(/^```.*?^```$/gms, "").replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, "·"));
}

/** As GitHub makes them: of headings, and those that stand there. */
function anchorsOf(path: string): Set<string> {
  const text = readFileSync(path, "utf8").replace(/^```.*?^```$/gms, "");
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
  for (const [, heading] of text.matchAll(/^#+ (.*)$/gm)) {
    anchors.add(
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    );
  }
  return anchors;
}

test("every link between the documents leads to a file that is there, and to a heading of it", () => {
  const lost: string[] = [];
  for (const document of documents) {
    for (const [, target] of prose(readFileSync(join(root, document), "utf8")).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [file, anchor] = target.split("#");
      const path = file === "" ? join(root, document) : join(root, dirname(document), decodeURIComponent(file));
      const leads = existsSync(path) && !relative(root, path).startsWith("..");
      if (!leads || (anchor !== undefined && !anchorsOf(path).has(anchor))) lost.push(`${document}: ${target}`);
    }
  }
  expect(lost).toEqual([]);
});
