import { existsSync } from "node:fs";
import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ActorError, isActorError } from "@mini-otp/worker-host/protocol";

/** TypeScript's name for what the URL calls JavaScript, and the other way round. */
const SIBLINGS: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, ".ts"],
  [/\.mjs$/, ".mts"],
  [/\.ts$/, ".js"],
  [/\.mts$/, ".mjs"],
];

/** The URLs under which an actor's module may be found, in the order to try them. Paths are relative to the working directory. */
export function moduleCandidates(actor: URL | string): string[] {
  const url = toUrl(actor);
  if (url.protocol !== "file:" || existsSync(fileURLToPath(url))) return [url.href];
  const siblings = SIBLINGS.flatMap(([from, to]) => {
    if (!from.test(url.pathname)) return [];
    const sibling = new URL(url);
    sibling.pathname = url.pathname.replace(from, to);
    return [sibling.href];
  });
  return [url.href, ...siblings];
}

/** What a thread says of a module that it could not load, in the words of who asked for it. */
export function explainNotFound(error: unknown, actor: URL | string): unknown {
  const isRelative = typeof actor === "string" && !isAbsolute(actor) && !URL.canParse(actor);
  if (!isRelative || !isActorError(error, "ERR_ACTOR_MODULE") || error.cause !== undefined) return error;
  const [path, from] = [JSON.stringify(actor), process.cwd()];
  const hint = `${path} is relative to the working directory, ${from}; new URL(${path}, import.meta.url) is relative to the file`;
  return new ActorError(error.code, `${error.message}; ${hint}`);
}

function toUrl(actor: URL | string): URL {
  if (actor instanceof URL) return actor;
  if (isAbsolute(actor)) return pathToFileURL(actor);
  return URL.canParse(actor) ? new URL(actor) : pathToFileURL(resolve(actor));
}

/** What a module's file is called, less its ending: `hasher` for `…/hasher.actor.js`. */
export function moduleName(actor: URL | string): string {
  const { pathname } = toUrl(actor);
  const file = decodeURIComponent(pathname.slice(pathname.lastIndexOf("/") + 1));
  return file.replace(/\.[cm]?[jt]s$/, "").replace(/\.actor$/, "") || "actor";
}
