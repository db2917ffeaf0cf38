import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { resolveModule } from "../supervision/module-url.js";

/** The TypeScript source beside a JavaScript file that does not exist, and the other way round. */
const SIBLINGS: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, ".ts"],
  [/\.mjs$/, ".mts"],
  [/\.ts$/, ".js"],
  [/\.mts$/, ".mjs"],
];

/** The URLs to try for an actor's module, in this order. Throws ERR_ACTOR_MODULE. */
export function moduleCandidates(actor: URL | string): string[] {
  const url = resolveModule(actor);
  if (url.protocol !== "file:" || existsSync(fileURLToPath(url))) return [url.href];
  const siblings = SIBLINGS.flatMap(([from, to]) => {
    if (!from.test(url.pathname)) return [];
    const sibling = new URL(url);
    sibling.pathname = url.pathname.replace(from, to);
    return [sibling.href];
  });
  return [url.href, ...siblings];
}

/** A module's file name without its ending: `hasher` for `…/hasher.actor.js`. */
export function moduleName(actor: URL | string): string {
  const { pathname } = resolveModule(actor);
  const file = decoded(pathname.slice(pathname.lastIndexOf("/") + 1));
  return file.replace(/\.[cm]?[jt]s$/, "").replace(/\.actor$/, "") || "actor";
}

/** A URL may contain a "%" that encodes nothing; `decodeURIComponent` throws on it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
