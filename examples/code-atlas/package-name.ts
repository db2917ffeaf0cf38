import { builtinModules } from "node:module";

export type Origin = { readonly kind: "package" | "builtin"; readonly name: string };

const BUILTINS = new Set(builtinModules.filter((name) => !name.startsWith("_")));

/** Whose module a specifier names: undefined for relative paths, `#internal` names and URLs. */
export function originOf(specifier: string): Origin | undefined {
  if (specifier.startsWith("node:")) return { kind: "builtin", name: specifier };
  if (BUILTINS.has(specifier)) return { kind: "builtin", name: `node:${specifier}` };
  if (/^(?:[./#\\]|$)/.test(specifier) || /^[a-z][a-z\d+.-]*:/i.test(specifier)) return undefined;
  const [first, second] = specifier.split("/", 2) as [string, string?];
  if (!first.startsWith("@")) return { kind: "package", name: first };
  return second ? { kind: "package", name: `${first}/${second}` } : undefined;
}
