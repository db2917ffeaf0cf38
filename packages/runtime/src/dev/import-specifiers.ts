const QUOTED = /(["'])([^"'\n]+)\1/.source;
/** A bundler's hint may stand before the name: `import(/* … *\/ "./a.js")`. */
const OPENED = /\s*\(\s*(?:\/\*(?:(?!\*\/)[\s\S])*\*\/\s*)*/.source;

const IMPORTS = [
  new RegExp(`\\bfrom\\s*${QUOTED}`, "g"),
  new RegExp(`\\bimport\\s*${QUOTED}`, "g"),
  new RegExp(`\\b(?:import|require|require\\s*\\.\\s*resolve)${OPENED}${QUOTED}`, "g"),
  new RegExp(`\\bimport${OPENED}(\`)([^\`$\n]+)\``, "g"),
];

/**
 * What a module imports, as it is written there: JavaScript or TypeScript, `import`, `export … from`, `import()` and
 * `require`. What looks like an import in a comment or a text counts too: one file too many does no harm. A name that
 * the program computes is not found.
 */
export function importSpecifiers(source: string): string[] {
  const found = new Set<string>();
  for (const pattern of IMPORTS) for (const [, , specifier] of source.matchAll(pattern)) found.add(specifier);
  return [...found];
}
