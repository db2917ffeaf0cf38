/** What a `package.json` says that matters here. */
export interface PackageFacts {
  readonly name?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
  readonly imports?: unknown;
}

/** The name of a package, and the rest of the specifier as `exports` has it: `@a/b/c.js` is `@a/b` and `./c.js`. */
export function packageOf(specifier: string): { readonly name: string; readonly subpath: string } | undefined {
  const match = /^((?:@[^/]+\/)?[^./@#][^/]*)(\/.*)?$/.exec(specifier);
  return match === null ? undefined : { name: match[1], subpath: `.${match[2] ?? ""}` };
}

/** The files, relative to the package, that `#name` may mean, under whatever condition. */
export function importTargets({ imports }: PackageFacts, specifier: string): string[] {
  return isRecord(imports) ? targetsFor(imports, specifier) : [];
}

/** The files, relative to the package, that `subpath` may mean, under whatever condition. */
export function exportTargets({ exports, main }: PackageFacts, subpath: string): string[] {
  if (exports === undefined || exports === null) {
    if (subpath !== ".") return [subpath];
    return typeof main === "string" ? [main, "./index.js"] : ["./index.js"];
  }
  const hasSubpaths = isRecord(exports) && Object.keys(exports).some((key) => key.startsWith("."));
  return hasSubpaths ? targetsFor(exports, subpath) : subpath === "." ? stringsIn(exports) : [];
}

function targetsFor(entries: Readonly<Record<string, unknown>>, key: string): string[] {
  if (Object.hasOwn(entries, key)) return stringsIn(entries[key]);
  const found: string[] = [];
  for (const [pattern, targets] of Object.entries(entries)) {
    const star = pattern.indexOf("*");
    if (star === -1) continue;
    const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
    if (key.length < pattern.length || !key.startsWith(before) || !key.endsWith(after)) continue;
    const part = key.slice(before.length, key.length - after.length);
    for (const target of stringsIn(targets)) found.push(target.replaceAll("*", () => part));
  }
  return found;
}

/** All of them, whatever the conditions: which ones hold is known only to what loads the module. */
function stringsIn(targets: unknown): string[] {
  if (typeof targets === "string") return [targets];
  if (Array.isArray(targets)) return targets.flatMap(stringsIn);
  return isRecord(targets) ? Object.values(targets).flatMap(stringsIn) : [];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
