import { isAbsolute, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ActorError, isActorError, takeFrames } from "@mini-otp/worker-host/protocol/errors";
import { field } from "@mini-otp/worker-host/protocol/options";

/** A module as a user names it. */
export const aModule = field(
  'a module, by its URL or path: new URL("./x.js", import.meta.url)',
  // No file name contains a NUL, and a URL drops it.
  (value) => value instanceof URL || (typeof value === "string" && value !== "" && !value.includes("\0")),
);

/** For each URL that was given as a relative path: that path, and the directory it was relative to. */
const relative = new WeakMap<URL, { readonly path: string; readonly from: string }>();

/**
 * The URL of a module. A relative path is resolved against the current working directory, so a caller that keeps the
 * URL finds the same file after a `process.chdir`. Throws ERR_ACTOR_MODULE for a text that cannot name a file or a
 * module.
 */
export function resolveModule(given: URL | string): URL {
  if (given instanceof URL && relative.has(given)) return given;
  try {
    const url = toUrl(given);
    if (url.protocol === "file:") fileURLToPath(url);
    return url;
  } catch (error) {
    const shown = String(given instanceof URL ? given.href : given);
    const hint = shown.includes("%") ? '; in a URL "%" is written "%25"' : "";
    const message = `actor module not found; tried ${shown}, which leads to no file: ${(error as Error).message}${hint}`;
    throw new ActorError("ERR_ACTOR_MODULE", message, { cause: error });
  }
}

function toUrl(given: URL | string): URL {
  if (given instanceof URL) return new URL(given.href);
  if (isAbsolute(given)) return pathToFileURL(given);
  if (URL.canParse(given)) return new URL(given);
  const from = process.cwd();
  const url = pathToFileURL(resolve(from, given));
  relative.set(url, { path: given, from });
  return url;
}

/**
 * The error of a thread that could not load `module` for the actor `id`, with the path that the user gave. Other errors
 * stay as they are.
 */
export function explainModule(id: string, error: unknown, module: URL | string): unknown {
  if (!isActorError(error, "ERR_ACTOR_MODULE") || error.id !== undefined) return error;
  const { message, tried, cause } = error;
  const facts = { id, ...(tried === undefined ? {} : { tried }), cause };
  const explained = new ActorError("ERR_ACTOR_MODULE", `${id}: ${message}${hintFor(error, module)}`, facts);
  return takeFrames(explained, error);
}

function hintFor({ tried }: ActorError<"ERR_ACTOR_MODULE">, module: URL | string): string {
  const given = tried !== undefined && module instanceof URL ? relative.get(module) : undefined;
  if (given === undefined) return "";
  const path = JSON.stringify(given.path);
  return [
    `; ${path} is relative to the working directory, ${given.from};`,
    `new URL(${path}, import.meta.url) is relative to the file, and so is join(__dirname, ${path}) in CommonJS`,
  ].join(" ");
}
