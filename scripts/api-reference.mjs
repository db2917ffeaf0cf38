// Writes docs/api.md and the pages in docs/api from the declarations that the packages are built to, by TypeDoc.
// Usage, after a build: node scripts/api-reference.mjs [--check]
// With --check it writes nothing; the exit code is 1 when a page is not what the code says. It is 1 too when a signature
// names a type of the project's that no entry point exports.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { missingTypes, readApi } from "./public-api.mjs";
import { keepPages } from "./written-pages.mjs";

const RENDERING = {
  outputFileStrategy: "modules",
  flattenOutputFiles: true,
  hidePageHeader: true,
  hideBreadcrumbs: true,
  hideGroupHeadings: true,
  useHTMLAnchors: true,
  useCodeBlocks: true,
  expandObjects: true,
  expandParameters: true,
  interfacePropertiesFormat: "table",
  classPropertiesFormat: "table",
  parametersFormat: "table",
  typeDeclarationFormat: "table",
  tableColumnSettings: { hideInherited: true, hideOverrides: true },
};

const WHAT_FOR = {
  "worker-host": "what an actor's module imports, in the actor's thread",
  runtime: "the main thread",
  testing: "for tests: see [testing](testing.md)",
  metrics: "metrics and the live page, on the main thread",
  cluster: "several machines, on the main thread: see [cluster](cluster.md)",
  "cluster-actor": "what modules of singletons and entities import, in their threads: see [cluster](cluster.md)",
  "cluster-testing": "a cluster of one process, for tests: see [cluster](cluster.md)",
};

const api = await readApi(RENDERING);
for (const [type, places] of missingTypes(api)) {
  console.error(`no entry point exports ${type}, which ${[...places].join(", ")} names`);
  process.exitCode = 1;
}
const pages = await rendered(api);
keepPages(
  {
    "docs/api.md": indexOf(pages),
    ...Object.fromEntries([...pages].map(([name, page]) => [`docs/api/${name}.md`, page])),
  },
  "pnpm docs:api",
);

/** TypeDoc's pages, by the name of their entry point. */
async function rendered({ app, project }) {
  const folder = mkdtempSync(join(tmpdir(), "api-reference-"));
  try {
    app.options.setValue("outputs", [{ name: "markdown", path: folder }]);
    await app.generateOutputs(project);
    return new Map(
      Object.keys(WHAT_FOR).map((name) => {
        const page = readFileSync(join(folder, `${name}.md`), "utf8");
        return [name, page.replace(/^# .*\n/, `# ${title(name)}\n\n[All names](../api.md)\n`)];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Every name, with the place of its entry. */
function indexOf(pages) {
  const lines = [
    "# API reference",
    "",
    "TypeDoc makes it from the code (`pnpm docs:api`); a test compares the two. [Options](options.md) has every option in",
    "tables, [errors](errors.md) every code.",
  ];
  for (const [name, page] of pages) {
    lines.push("", `## ${title(name)}`, "", `[The page](api/${name}.md): ${WHAT_FOR[name]}.`, "");
    const entries = page.matchAll(/^<a id="([^"]+)"><\/a>\n\n## (?:abstract )?([\w$]+)/gm);
    lines.push([...entries].map(([, anchor, entry]) => `[\`${entry}\`](api/${name}.md#${anchor})`).join(" · "));
  }
  return `${lines.join("\n")}\n`;
}

function title(name) {
  if (name === "testing") return "@mini-otp/runtime/testing";
  return `@mini-otp/${name.replace("cluster-", "cluster/")}`;
}
