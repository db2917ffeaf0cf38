/** The files that each file imports. */
export type Imports = (file: string) => readonly string[];

/** The files with what they import, and what that imports, each once. */
export function reachOf(files: Iterable<string>, imports: Imports): Set<string> {
  const reached = new Set(files);
  // A set that grows while it is gone through has its new members gone through too.
  for (const file of reached) for (const imported of imports(file)) reached.add(imported);
  return reached;
}

/** Those of the modules, each with the files that it may be loaded from, that reach one of the changed files. */
export function touchedModules<M>(
  modules: Iterable<readonly [module: M, files: readonly string[]]>,
  imports: Imports,
  changed: ReadonlySet<string>,
): Map<M, string> {
  const touched = new Map<M, string>();
  if (changed.size === 0) return touched;
  for (const [module, files] of modules) {
    for (const file of reachOf(files, imports)) {
      if (!changed.has(file)) continue;
      touched.set(module, file);
      break;
    }
  }
  return touched;
}
