import { readFile, realpath } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { exportTargets, importTargets, type PackageFacts, packageOf } from "./package-targets.js";

/** Whether the file is of the project itself: nothing that was installed is watched. */
export function isOfProject(file: string): boolean {
  return !file.includes(`${sep}node_modules${sep}`);
}

/** What TypeScript and bundlers let a file be written as, beside its own name. */
const SOURCES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, [".ts", ".tsx"]],
  [/\.mjs$/, [".mts"]],
  [/\.cjs$/, [".cts"]],
];
const ENDINGS = [".js", ".ts", ".json", ".mjs", ".mts", ".cjs", ".cts", `${sep}index.js`, `${sep}index.ts`];

/** The files that a path in an import may mean. */
export function candidatesOf(path: string): string[] {
  for (const [ending, sources] of SOURCES) {
    if (ending.test(path)) return [path, ...sources.map((source) => path.replace(ending, source))];
  }
  return /\.[cm]?[jt]sx?$|\.json$/.test(path) ? [path] : [path, ...ENDINGS.map((ending) => path + ending)];
}

/** Finds the project's files that an import may mean, as Node finds them, but without loading anything. */
export class SpecifierResolver {
  /** By the directory that a package was looked for from, and its name. */
  readonly #packages = new Map<string, Promise<string | undefined>>();
  readonly #facts = new Map<string, Promise<PackageFacts | undefined>>();

  /** Forgets what was found in packages, because their files may have changed. */
  forget(): void {
    this.#packages.clear();
    this.#facts.clear();
  }

  /** Paths to try, all of the project; none for a built-in module, and for what is installed. Never rejects. */
  async resolve(specifier: string, from: string): Promise<string[]> {
    try {
      const paths = await this.#paths(specifier, from);
      return paths.filter(isOfProject).flatMap(candidatesOf);
    } catch {
      // A name that cannot be a file's: loading the module tells of it.
      return [];
    }
  }

  async #paths(specifier: string, from: string): Promise<string[]> {
    if (/^(?:\.{0,2}\/|file:)/.test(specifier)) return [fileURLToPath(new URL(specifier, pathToFileURL(from)))];
    if (isBuiltin(specifier) || URL.canParse(specifier)) return [];
    const home = await this.#homeOf(dirname(from));
    if (specifier.startsWith("#")) {
      const facts = home === undefined ? undefined : await this.#factsOf(home);
      const targets = facts === undefined ? [] : importTargets(facts, specifier);
      return targets.filter((target) => target.startsWith("./")).map((target) => join(home as string, target));
    }
    const wanted = packageOf(specifier);
    if (wanted === undefined) return [];
    const folder = await this.#folderOf(wanted.name, dirname(from), home);
    const facts = folder === undefined ? undefined : await this.#factsOf(folder);
    if (folder === undefined || facts === undefined) return [];
    return exportTargets(facts, wanted.subpath).map((target) => join(folder, target));
  }

  /** The folder of the package that the files of `folder` are part of. */
  async #homeOf(folder: string): Promise<string | undefined> {
    for (const place of upwards(folder)) if ((await this.#factsOf(place)) !== undefined) return place;
    return undefined;
  }

  /** The folder of the package `name`: this package itself, or one of the workspace's that node_modules links to. */
  async #folderOf(name: string, from: string, home: string | undefined): Promise<string | undefined> {
    if (home !== undefined && (await this.#factsOf(home))?.name === name) return home;
    const key = `${from}\0${name}`;
    let found = this.#packages.get(key);
    if (found === undefined) {
      found = linkedPackage(name, from);
      this.#packages.set(key, found);
    }
    return found;
  }

  #factsOf(folder: string): Promise<PackageFacts | undefined> {
    let facts = this.#facts.get(folder);
    if (facts === undefined) {
      facts = readFacts(join(folder, "package.json"));
      this.#facts.set(folder, facts);
    }
    return facts;
  }
}

async function linkedPackage(name: string, from: string): Promise<string | undefined> {
  for (const place of upwards(from)) {
    try {
      const folder = await realpath(join(place, "node_modules", name));
      return isOfProject(folder) ? folder : undefined;
    } catch {
      // Not here: further up.
    }
  }
  return undefined;
}

async function readFacts(file: string): Promise<PackageFacts | undefined> {
  try {
    const facts: unknown = JSON.parse(await readFile(file, "utf8"));
    return typeof facts === "object" && facts !== null ? facts : undefined;
  } catch {
    return undefined;
  }
}

/** The folder, the one that it is in, and so on. */
function* upwards(folder: string): Generator<string> {
  for (let place = folder; ; place = dirname(place)) {
    yield place;
    if (place === dirname(place)) return;
  }
}
