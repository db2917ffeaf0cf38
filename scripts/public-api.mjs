// What the packages export, as TypeDoc reads it from their declarations: for the pages that are made from it.
import { fileURLToPath } from "node:url";
import { Application, Converter, ReflectionKind, UnknownType } from "typedoc";

export const root = fileURLToPath(new URL("..", import.meta.url));

const PROJECT = "mini-otp";

/** The entry points that applications import, by the page of the reference that describes them. */
const ENTRY_POINTS = [
  ["worker-host", "packages/worker-host/dist/index.d.ts"],
  ["runtime", "packages/runtime/dist/index.d.ts"],
  ["testing", "packages/runtime/dist/testing/index.d.ts"],
  ["metrics", "packages/metrics/dist/index.d.ts"],
  ["cluster", "packages/cluster/dist/index.d.ts"],
  ["cluster-actor", "packages/cluster/dist/actor/index.d.ts"],
  ["cluster-testing", "packages/cluster/dist/testing/index.d.ts"],
];

/** The packages must be built. */
export async function readApi(options = {}) {
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: ENTRY_POINTS.map(([, file]) => `${root}${file}`),
    tsconfig: `${root}tsconfig.base.json`,
    // The declarations have been checked when they were built, and are read by an older compiler here.
    skipErrorChecking: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    sort: ["alphabetical"],
    readme: "none",
    name: PROJECT,
    logLevel: "Warn",
    treatWarningsAsErrors: true,
    ...options,
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => project.children.forEach(nameModule));
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    forgetUnnamedBases(project);
    hideSteps(app, project);
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the packages' declarations");
  return { app, project };
}

/** TypeDoc calls a module by its path. */
function nameModule(module, at) {
  module.name = ENTRY_POINTS[at][0];
}

/** An interface that no package exports is a way to write others down: they show what they have from it as their own. */
function forgetUnnamedBases(project) {
  for (const reflection of project.getReflectionsByKind(ReflectionKind.ClassOrInterface)) {
    for (const key of ["extendedTypes", "implementedTypes"]) {
      const named = reflection[key]?.filter((type) => type.type !== "reference" || !isUnnamed(type));
      reflection[key] = named?.length > 0 ? named : undefined;
    }
  }
}

/** A type that is worked out by steps which its file keeps to itself: its comment says what it is. */
function hideSteps(app, project) {
  for (const alias of project.getReflectionsByKind(ReflectionKind.TypeAlias)) {
    if (alias.type?.type === "conditional" && namesIn(app.serializer.toObject(alias.type)).size > 0)
      alias.type = new UnknownType("…");
  }
}

const isUnnamed = (type) => type.reflection === undefined && isOfProject(type.symbolId?.packageName ?? "");
const isOfProject = (packageName) => packageName.startsWith("@mini-otp/");

/**
 * The project's own types that a part of the API names and no entry point exports, with the places that name them.
 *
 * @returns {Map<string, Set<string>>}
 */
export function missingTypes({ app, project }) {
  return namesIn(app.serializer.projectToObject(project, root));
}

function namesIn(part) {
  const missing = new Map();
  const visit = (node, place) => {
    if (typeof node !== "object" || node === null) return;
    const here = typeof node.kind === "number" && node.name !== PROJECT ? [...place, node.name] : place;
    if (isMissing(node)) {
      const { packageName, packagePath, qualifiedName } = node.target;
      const name = `${qualifiedName} (${packageName}/${packagePath})`;
      missing.set(name, (missing.get(name) ?? new Set()).add(here.slice(0, 3).join(".")));
    }
    for (const item of Object.values(node)) visit(item, here);
  };
  visit(part, []);
  return missing;
}

const isMissing = ({ type, target, refersToTypeParameter }) =>
  type === "reference" && typeof target === "object" && !refersToTypeParameter && isOfProject(target.packageName);
