import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { ConformanceReporter } from "./scripts/conformance-reporter.mjs";
import { SummaryReporter } from "./scripts/summary-reporter.mjs";
import { ALONE, filesOfPart, PART } from "./scripts/test-parts.mjs";

const testRoot = new URL("./test/", import.meta.url);

// Tests run as built, on packages as built: a worker thread loads the same files a user's would.
// The list comes from the sources, for a deleted test leaves its JavaScript behind in dist.
const names = readdirSync(testRoot, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["dist", "node_modules"].includes(entry.name))
  .flatMap(({ name }) =>
    readdirSync(new URL(`${name}/`, testRoot), { recursive: true })
      .filter((path) => path.endsWith(".test.ts"))
      .map((path) => `${name}/${path.replaceAll("\\", "/").replace(/\.test\.ts$/, "")}`),
  );
const builtTests = filesOfPart(names, PART).map((name) => `test/dist/${name}.test.js`);
const aloneFiles = builtTests.filter((file) => ALONE.some((name) => file === `test/dist/${name}.test.js`));

// Beside whatever reporters the command line names, once for all projects.
let reported = false;
const ownReporters = {
  name: "own-reporters",
  configureVitest({ vitest }) {
    if (!reported) vitest.config.reporters.push(new ConformanceReporter(), new SummaryReporter());
    reported = true;
  },
};

export default defineConfig({
  plugins: [ownReporters],
  // The pure core is tested by itself, and is no part of what the package exports.
  resolve: {
    alias: ["cluster", "runtime", "worker-host"].map((name) => ({
      find: new RegExp(`^#${name}/`),
      replacement: fileURLToPath(new URL(`./packages/${name}/dist/`, import.meta.url)),
    })),
  },
  test: {
    exclude: [],
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: builtTests.filter((file) => !aloneFiles.includes(file)),
          // A worker runs one file after the other with the packages loaded once: a process for each file took a third of the time.
          isolate: false,
          // Vitest's default leaves one core free, so two cores would run one file at a time.
          maxWorkers: availableParallelism(),
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: aloneFiles, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
    pool: "forks",
    retry: 0,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Node itself imports the packages and the actor fixtures, in the tests as in the workers.
    server: { deps: { external: [/\/packages\/[^/]+\/dist\//, /\.actor\.js$/] } },
  },
});
