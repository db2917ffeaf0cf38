import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { ofPart } from "../support/part.js";

// Each compiler checks all declarations, on a machine that may have other work.
vi.setConfig({ testTimeout: 240_000 });

const require = createRequire(import.meta.url);
const folder = fileURLToPath(new URL("../../types/programs/", import.meta.url));

/** From the lowest that is supported. Each is installed under a name of its own. */
const VERSIONS: Readonly<Record<string, string>> = {
  "5.6": "typescript-5.6",
  "5.7": "typescript-5.7",
  "5.8": "typescript-5.8",
  "5.9": "typescript-api",
  "6.0": "typescript-6.0",
  "7.0": "typescript",
};
const RESOLUTIONS = [
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["bundler", "esnext"],
] as const;
const ALL = Object.keys(VERSIONS).flatMap((version) =>
  RESOLUTIONS.map(([resolution, module]) => ({ version, resolution, module })),
);
/** A compiler takes 3 s and more for one resolution: the long part has the lowest version. The build has the highest. */
const SOME = [ALL[0]];
const RUNS = ofPart(SOME, SOME, ALL);

// What a stranger's project has who sets nothing but `strict`. comlink's own declarations name types of the DOM.
const OPTIONS = ["--noEmit", "--strict", "--skipLibCheck", "false", "--pretty", "false", "--types", "node"];
const LIBRARIES = ["--target", "es2022", "--lib", "es2023,esnext.disposable,dom"];

const programs = readdirSync(folder).filter((file) => file.endsWith(".ts"));
const refused = new Set(
  programs.flatMap((file) =>
    readFileSync(join(folder, file), "utf8")
      .split("\n")
      .flatMap((line, index) => (/\/\/ refused(?: once)?: /.test(line) ? [`${file}:${index + 1} ${line}`] : [])),
  ),
);
const placeOf = (refusal: string): string => refusal.slice(0, refusal.indexOf(" "));
const places = new Set([...refused].map(placeOf));

/** Before 5.9 TypeScript's own declarations have every typed array pass for an ArrayBuffer. */
const refusedBy = (version: string): Set<string> => {
  const isOld = Number(version) < 5.9;
  return new Set([...refused].filter((line) => !isOld || !line.includes("// refused: Uint8Array")).map(placeOf));
};

/** Where this compiler complains; a file by its name, one that is not of the programs by its path. */
function complaints(name: string, resolution: string, module: string): string[] {
  const home = dirname(require.resolve(`${name}/package.json`));
  const { version } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { version: string };
  // Version 6 and later refuse files on the command line beside a tsconfig.json.
  const ignored = Number.parseInt(version, 10) >= 6 ? ["--ignoreConfig"] : [];
  const how = ["--module", module, "--moduleResolution", resolution, ...ignored];
  try {
    const compiler = join(home, "lib/tsc.js");
    execFileSync(process.execPath, [compiler, ...OPTIONS, ...LIBRARIES, ...how, ...programs], { cwd: folder });
    return [];
  } catch (error) {
    const output = String((error as { stdout: unknown }).stdout);
    return output.split("\n").flatMap((line) => {
      const place = /^(?<file>\S[^(]*)\((?<line>\d+),\d+\): error (?<text>.*)/.exec(line)?.groups;
      if (place === undefined) return line.startsWith("error") ? [line] : [];
      const at = `${place.file}:${place.line}`;
      return [places.has(at) ? at : `${at} ${place.text}`];
    });
  }
}

test.each(RUNS)(
  "TypeScript $version accepts and refuses what the type programs say, with $resolution resolution",
  ({ version, resolution, module }) => {
    const name = VERSIONS[version];
    expect(require(`${name}/package.json`).version).toMatch(new RegExp(`^${version.replace(".", "\\.")}\\.`));
    expect(new Set(complaints(name, resolution, module))).toEqual(refusedBy(version));
  },
);

test("the documentation names the lowest version that is tested", () => {
  const [lowest] = Object.keys(VERSIONS);
  const root = new URL("../../../", import.meta.url);
  for (const page of ["docs/typescript.md", "README.md"])
    expect(readFileSync(new URL(page, root), "utf8")).toContain(`TypeScript ${lowest}`);
});
