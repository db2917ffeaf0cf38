import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const TEXT = { html: "text/html", css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

const STYLES = ["style", "tree", "panels", "narrow"];

const SCRIPTS = [
  "actions",
  "actor-page",
  "app",
  "chart-group",
  "charts",
  "crash-report",
  "dom",
  "event-feed",
  "format",
  "live",
  "log-view",
  "members-panel",
  "meter",
  "nodes",
  "points",
  "process-page",
  "route",
  "theme",
  "tree-keys",
  "tree-order",
  "tree-page",
  "tree-row",
  "trouble",
  "wire",
];

/** The files of the page, by path. Read once; throws when a file of the package is missing. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const source = (name: string) => new URL(`../../src/ui/${name}`, import.meta.url);
  const uplot = dirname(createRequire(import.meta.url).resolve("uplot"));
  const assets = new Map<string, Asset>([
    ["/", read(source("index.html"), "html")],
    ["/ui/icon.svg", read(source("icon.svg"), "svg")],
    ["/ui/uplot.js", read(join(uplot, "uPlot.esm.js"), "js")],
    ["/ui/uplot.css", read(join(uplot, "uPlot.min.css"), "css")],
  ]);
  for (const name of STYLES) assets.set(`/ui/${name}.css`, read(source(`${name}.css`), "css"));
  for (const name of SCRIPTS) {
    assets.set(`/ui/${name}.js`, read(new URL(`../ui/${name}.js`, import.meta.url), "js"));
  }
  return assets;
}

function read(file: string | URL, kind: keyof typeof TEXT): Asset {
  return { type: `${TEXT[kind]}; charset=utf-8`, body: readFileSync(file) };
}
