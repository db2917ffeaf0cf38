import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { describe } from "../protocol/errors/describe.js";
import { ActorError } from "../protocol/errors/errors.js";

/** A module that has been loaded, and the URL where it was found. */
export interface LoadedModule {
  readonly url: string;
  readonly exports: { readonly default?: unknown };
}

/** `import()` of the thread's entry, because code that V8 compiled in another thread cannot import. */
export type ImportModule = (specifier: string) => Promise<unknown>;

/**
 * Loads the first of these modules that exists. TypeScript needs no build: Node loads it from 22.18 on, tsx before
 * that, if it is installed. Throws ERR_ACTOR_MODULE.
 */
export async function loadFirst(urls: readonly string[], importModule: ImportModule): Promise<LoadedModule> {
  let missing: unknown;
  for (const url of urls) {
    try {
      // tsx takes half a second to load, which a missing file does not need.
      if (isTypeScript(url) && existsSync(new URL(url))) await prepareForTypeScript(url, importModule);
      return { url, exports: (await importModule(url)) as LoadedModule["exports"] };
    } catch (error) {
      if (isMissing(error, url)) {
        missing ??= error;
        continue;
      }
      throw new ActorError("ERR_ACTOR_MODULE", `${url} failed to load: ${describe(error)}${hintFor(error, url)}`, {
        cause: error,
      });
    }
  }
  const message = `actor module not found; tried ${urls.join(", ")}`;
  throw new ActorError("ERR_ACTOR_MODULE", message, { tried: urls, cause: missing });
}

/** The default export, if it is one. Compilers turn `export default` in a CommonJS module into a default within a default. */
export function defaultOf<T>({ exports }: LoadedModule, isOne: (value: unknown) => value is T): T | undefined {
  const nested = (exports.default as { default?: unknown } | null | undefined)?.default;
  return [exports.default, nested].find(isOne);
}

/** True when the module itself is missing, false when a module that it imports is. */
function isMissing(error: unknown, url: string): boolean {
  const { code, url: missing, message } = error as { code?: string; url?: string; message?: string };
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "ENOENT") return false;
  return missing === undefined ? (message ?? "").includes(`'${decodedPath(url)}'`) : missing === url;
}

/** A URL may contain a "%" that encodes nothing: Node reports that when it loads the module. */
function decodedPath(url: string): string {
  const { pathname } = new URL(url);
  try {
    return decodeURI(pathname);
  } catch {
    return pathname;
  }
}

function isTypeScript(url: string): boolean {
  return /\.[mc]?tsx?$/.test(new URL(url).pathname);
}

/** Node's own support, since 22.18 without a flag. */
function stripsTypes(): boolean {
  return Boolean((process.features as { typescript?: unknown }).typescript);
}

/**
 * A program that was started with tsx may use all of TypeScript, but tsx does not prepare the threads of the program.
 */
function isUnderTsx(): boolean {
  return process.execArgv.some(isOfTsx);
}

function isOfTsx(arg: string): boolean {
  return /[\\/]tsx[\\/]|^(?:--import=|--loader=)?tsx(?:[\\/]|$)/.test(arg);
}

const HAS_PERMISSIONS = (process as { permission?: unknown }).permission !== undefined;

let prepared: Promise<void> | undefined;

function prepareForTypeScript(url: string, importModule: ImportModule): Promise<void> {
  prepared ??= stripsTypes() && !isUnderTsx() ? findSources() : registerTsx(url, importModule);
  return prepared;
}

type Resolve = (specifier: string, context: { readonly parentURL?: string | undefined }) => unknown;

/** Node has this since 22.15; the types for Node 20 do not declare it. */
const { registerHooks } = module as unknown as {
  registerHooks(hooks: { resolve(...args: [...Parameters<Resolve>, next: Resolve]): unknown }): unknown;
};

/** TypeScript writes `./other.js` for `./other.ts`; Node looks only for the former. */
async function findSources(): Promise<void> {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      try {
        return nextResolve(specifier, context);
      } catch (error) {
        const source = specifier.replace(/\.([mc]?)js$/, ".$1ts");
        const fromTypeScript = context.parentURL !== undefined && isTypeScript(context.parentURL);
        if (!fromTypeScript || source === specifier || !isPath(specifier)) throw error;
        try {
          return nextResolve(source, context);
        } catch {
          throw error;
        }
      }
    },
  });
}

function isPath(specifier: string): boolean {
  return /^(?:\.{0,2}\/|file:)/.test(specifier);
}

/**
 * Registers the tsx beside this package, or else the actor's own, or else the one that runs the program, which may be
 * installed elsewhere: `npx tsx` and a global tsx are. Without any, Node's error says what it cannot load.
 */
async function registerTsx(url: string, importModule: ImportModule): Promise<void> {
  const tsx =
    (await importTsx("tsx/esm/api", importModule)) ??
    (await importTsx(tsxOf(url), importModule)) ??
    (await importTsx(runningTsx(), importModule));
  tsx?.register();
}

/** Started by its command, tsx is in main's flags with the whole path or URL of its loader. */
function runningTsx(): string | undefined {
  const flags = process.execArgv.filter(isOfTsx).map((flag) => flag.replace(/^--(?:import|loader|require)=/, ""));
  for (const file of flags) {
    const found = tsxOf(file);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function importTsx(
  specifier: string | undefined,
  importModule: ImportModule,
): Promise<{ register(): unknown } | undefined> {
  if (specifier === undefined) return undefined;
  try {
    return (await importModule(specifier)) as { register(): unknown };
  } catch (error) {
    if ((error as { code?: string }).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The tsx that a file would import: also of a file of tsx's own. Takes a path or a URL, and for other text has none. */
function tsxOf(file: string): string | undefined {
  try {
    // The ES module lies beside the file that `require` would take.
    return nodeUrl().pathToFileURL(
      createRequire(file)
        .resolve("tsx/esm/api")
        .replace(/\.cjs$/, ".mjs"),
    ).href;
  } catch {
    return undefined;
  }
}

function hintFor(error: unknown, url: string): string {
  switch (codeOf(error)) {
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return `; Node ${process.versions.node} loads TypeScript only with tsx: npm install --save-dev tsx, or run the program by npx tsx`;
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return HAS_PERMISSIONS
        ? "; Node only strips types: an actor with permissions that uses the rest of TypeScript has to be built"
        : "; Node only strips types: start the program with tsx (node --import tsx) for the rest of TypeScript";
    case "ERR_REQUIRE_CYCLE_MODULE":
      // tsx takes the file for CommonJS, and requires it while it is imported.
      return isTypeScript(url)
        ? '; the file is an ES module only where its package.json has "type": "module", or if its name ends in .mts'
        : "";
    case "ERR_MODULE_NOT_FOUND":
    case "ERR_UNSUPPORTED_DIR_IMPORT":
      return withoutExtension(error as Error);
    case "ERR_ACCESS_DENIED":
      return HAS_PERMISSIONS && isTypeScript(url) && !stripsTypes()
        ? "; before Node 22.18 it is tsx that loads TypeScript, which needs threads and files that this actor's permissions do not name: build it to JavaScript"
        : "";
    default:
      // Node shows the place of a syntax error only when it ends because of it.
      return error instanceof SyntaxError && url.startsWith("file:")
        ? `; "node ${nodeUrl().fileURLToPath(url)}" shows where`
        : "";
  }
}

/** What esbuild cannot do for tsx under Node's permissions comes as an error of its own. */
function codeOf(error: unknown): string | undefined {
  const { code, name, message } = (error ?? {}) as { code?: string; name?: string; message?: string };
  const isDenied = name === "TransformError" && /Access to this API has been restricted/.test(String(message));
  return isDenied ? "ERR_ACCESS_DENIED" : code;
}

const EXTENSIONS = [".js", ".ts", ".mjs", ".mts", ".cjs", ".cts", "/index.js", "/index.ts"];

/** Node completes no file name of an `import`, as bundlers do: says which file it is that was meant. */
function withoutExtension({ message }: Error): string {
  const path = /^(?:Cannot find module|Directory import) '([^']+)'/.exec(message)?.[1];
  const extension = path === undefined ? undefined : EXTENSIONS.find((extension) => existsSync(path + extension));
  if (path === undefined || extension === undefined) return "";
  const name = path.slice(path.lastIndexOf("/") + 1);
  // TypeScript's own way: the name of the file that the compiler would write.
  const written = extension.replace("ts", "js");
  return `; Node wants the whole file name in an import: write ${JSON.stringify(`${name}${written}`)} instead of ${JSON.stringify(name)}`;
}

/** Loaded on demand, because it is seldom needed. */
function nodeUrl(): typeof import("node:url") {
  return createRequire(import.meta.url)("node:url") as typeof import("node:url");
}
