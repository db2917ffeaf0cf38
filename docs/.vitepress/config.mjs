import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";

const folder = new URL("../", import.meta.url);
const { repository } = JSON.parse(readFileSync(new URL("../packages/runtime/package.json", folder), "utf8"));
/** Where the project's files can be read, if its packages say so. */
const source = repository?.url.replace(/^git\+|\.git$/g, "");

/** What the pages say first, in the order in which a reader needs them. */
const GUIDE = {
  "How it works": [
    "actors",
    "supervision",
    "isolation",
    "messages",
    "streams",
    "routers-and-pools",
    "shutdown",
    "upgrade",
  ],
  "Write and ship": ["development", "typescript", "testing", "bundling", "production", "cluster"],
  "Look inside": ["debugging", "observability", "observer", "tracing"],
  "Look up": ["options", "errors", "runtime-semantics", "otp-differences", "benchmarks"],
};

const pagesIn = (name) =>
  readdirSync(new URL(name, folder))
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -".md".length))
    .sort();
const item = (path, text = titleOf(path)) => ({ text, link: `/${path}` });

function titleOf(path) {
  const words = path.split("/").at(-1).replaceAll("-", " ");
  return `${words[0].toUpperCase()}${words.slice(1)}`;
}

/** A link to a file of the project that is no page leads to its source. */
function linkToSource(markdown) {
  const render = markdown.renderer.rules.link_open;
  markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const href = tokens[index].attrGet("href");
    const path = posix.join("docs", posix.dirname(env.relativePath), href);
    if (source !== undefined && href.startsWith("../") && !path.startsWith("docs/")) {
      tokens[index].attrSet("href", `${source}/tree/main/${path}`);
    }
    return render(tokens, index, options, env, self);
  };
}

/** @type {import("vitepress").UserConfig} */
export default {
  title: "mini-otp",
  description: "Actors for Node in worker threads of their own, supervised as in Erlang/OTP",
  outDir: "../dist/docs",
  cacheDir: "../node_modules/.cache/vitepress",
  cleanUrls: true,
  // Decisions of the project's own are for those who change it.
  srcExclude: ["adr/**"],
  // Files of the project that are no pages; a test of the documents looks for them.
  ignoreDeadLinks: [/^\.\/(?:\.\.\/)+(?:bench|examples|packages|README)/],
  markdown: { config: linkToSource },
  themeConfig: {
    search: { provider: "local" },
    nav: [item("production", "Guide"), item("api", "API"), item("options", "Options"), item("errors", "Errors")],
    sidebar: [
      ...Object.entries(GUIDE).map(([text, pages]) => ({ text, items: pages.map((page) => item(page)) })),
      {
        text: "API reference",
        items: [item("api", "All names"), ...pagesIn("api/").map((page) => item(`api/${page}`))],
      },
      { text: "Coming from", items: pagesIn("coming-from/").map((page) => item(`coming-from/${page}`)) },
    ],
  },
};
