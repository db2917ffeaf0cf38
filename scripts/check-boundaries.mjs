// Proves the arrows of the architecture: which room may import which, and which one file may do what.
// Usage: node scripts/check-boundaries.mjs [root]. Prints `file:line rule` for each violation.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readSource } from "./read-source.mjs";
import { placeOf, ROOMS } from "./rooms.mjs";

const PROTOCOL_ROOMS = ROOMS["worker-host"].filter((room) => room.startsWith("protocol/"));

const ENTRY_POINTS = {
  "worker-host": [
    "@mini-otp/worker-host",
    "@mini-otp/worker-host/loop",
    "@mini-otp/worker-host/module",
    "@mini-otp/worker-host/process",
    ...PROTOCOL_ROOMS.map((room) => `@mini-otp/worker-host/${room}`),
  ],
  runtime: ["@mini-otp/runtime", "@mini-otp/runtime/guests", "@mini-otp/runtime/options", "@mini-otp/runtime/testing"],
  metrics: ["@mini-otp/metrics"],
  cluster: ["@mini-otp/cluster", "@mini-otp/cluster/actor", "@mini-otp/cluster/testing"],
};
const ALL_ENTRY_POINTS = Object.values(ENTRY_POINTS).flat();

/**
 * metrics, cluster → runtime → worker-host. Each sees only its neighbour, but cluster sees the protocol too, because it
 * reads and writes mailboxes. mini-otp puts the three others under one name.
 */
const MAY_IMPORT = {
  "worker-host": [],
  runtime: ENTRY_POINTS["worker-host"],
  metrics: ["@mini-otp/runtime", "@mini-otp/runtime/options"],
  cluster: [
    "@mini-otp/runtime",
    "@mini-otp/runtime/guests",
    "@mini-otp/runtime/options",
    "@mini-otp/runtime/testing",
    // For what runs in actors' threads: the room `actor`.
    ...ENTRY_POINTS["worker-host"],
  ],
  "mini-otp": ["@mini-otp/worker-host", "@mini-otp/runtime", "@mini-otp/runtime/testing", "@mini-otp/metrics"],
};

const PROTOCOL = "packages/worker-host/src/protocol/";

const ONLY_ONE_FILE = [
  {
    rule: "only-file-with-new-worker",
    file: "packages/runtime/src/threads/actor-thread.ts",
    // Starts the watcher of a process that is not main's.
    also: "packages/worker-host/src/process/watched-process.ts",
    pattern: /\bnew\s+(?:[\w$]+\s*\.\s*)*Worker\b/g,
  },
  {
    rule: "only-file-that-starts-processes",
    file: "packages/worker-host/src/process/child-program.ts",
    pattern: /(?<![.\w$#])fork\s*\(/g,
  },
  {
    rule: "only-file-with-parent-port",
    file: "packages/worker-host/src/host/worker-main.cts",
    pattern: /\bparentPort\b/g,
  },
  {
    rule: "only-file-with-atomics-wait",
    file: `${PROTOCOL}memory/doorbell.ts`,
    pattern: /\bAtomics\s*\.\s*(?:wait|waitAsync|notify)\b|\bAtomics\b(?!\s*\.)/g,
  },
];

/** What main runs, alone or as actors' threads do too. */
const MAIN_RUNS = ["packages/runtime/src/", "packages/metrics/src/", "packages/cluster/src/", PROTOCOL];

/**
 * Where main's code may go round until something else happens, and what ends it. No other file there has a loop without
 * an end of its own, or one whose head looks at shared memory.
 */
const MAY_SPIN = {
  [`${PROTOCOL}memory/ring-lock.ts`]: "main's patience with a lock, MAIN_LOCK_PATIENCE_MS",
  [`${PROTOCOL}memory/attention.ts`]: "MAX_NAPS; only a thread on its way out waits there",
  "packages/runtime/src/router/router.ts": "a timer each time round: nothing waits but a promise",
  "packages/runtime/src/guard/leave-process.ts": "SIGKILL, which the process has sent itself",
  "packages/runtime/src/testing/fault.actor.ts": "the guard: it runs in an actor's thread",
};
const SPINS = /\bfor\s*\(\s*;\s*;|\bwhile\s*\(\s*(?:true|1)\s*\)|\b(?:while\s*\(|for\s*\([^;{}]*;)[^;{}]*\bAtomics\b/g;
/** Blocking waits: for actors' threads, and for `acquire`, which bounds them. */
const BLOCKS = /(?<![#.\w])(?:napWhile|sleep)\s*\(/g;
const MAY_BLOCK = [`${PROTOCOL}memory/doorbell.ts`, `${PROTOCOL}memory/ring-lock.ts`, `${PROTOCOL}memory/attention.ts`];
const PATIENCE = "MAIN_LOCK_PATIENCE_MS";
const LONGEST_PATIENCE_MS = 5;

const PURE_CORE = [
  "packages/cluster/src/children/arrivals.ts",
  "packages/cluster/src/children/sending.ts",
  "packages/cluster/src/link/frame.ts",
  "packages/cluster/src/link/hello.ts",
  "packages/cluster/src/link/link.ts",
  "packages/cluster/src/nodes/detector.ts",
  "packages/cluster/src/nodes/lease.ts",
  "packages/cluster/src/shards/placement.ts",
  "packages/runtime/src/supervision/restart-strategy.ts",
  "packages/worker-host/src/protocol/options/restart-intensity.ts",
  "packages/runtime/src/supervision/backoff.ts",
  "packages/runtime/src/supervision/supervisor-step.ts",
  "packages/runtime/src/supervision/supervisor-turn.ts",
  "packages/runtime/src/supervision/supervisor-state.ts",
  "packages/runtime/src/supervision/grouped-list.ts",
  "packages/runtime/src/supervision/rank-set.ts",
  "packages/runtime/src/supervision/administration.ts",
  "packages/runtime/src/supervision/stop-budget.ts",
  "packages/runtime/src/actor/life-step.ts",
  "packages/runtime/src/actor/exit-cause.ts",
  "packages/runtime/src/supervision/deadline.ts",
  "packages/runtime/src/dev/import-graph.ts",
  "packages/runtime/src/dev/import-specifiers.ts",
  "packages/runtime/src/dev/package-targets.ts",
  "packages/runtime/src/guard/heap-judgement.ts",
  "packages/runtime/src/guard/watchdog.ts",
  "packages/runtime/src/guard/unattributed.ts",
  "packages/runtime/src/guard/process-budget.ts",
  "packages/runtime/src/messaging/call-cycles.ts",
  "packages/runtime/src/messaging/parcels.ts",
  "packages/runtime/src/threads/owner-ids.ts",
  "packages/runtime/src/directory/registry.ts",
  "packages/runtime/src/directory/external-processes.ts",
  "packages/runtime/src/signals/monitor-numbers.ts",
  "packages/runtime/src/signals/monitors.ts",
];
const IMPURE =
  /\bDate\s*\.\s*now\b|\bnew\s+Date\b|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|\bMath\s*\.\s*random\b/g;

const VAGUE_NAME = /^(?:utils?|helpers?|common|misc|shared)$/i;
const UNFINISHED_TEST = /\.\s*(?:skip|only|todo)\b\s*[.(`]/g;
/** A test whose tool is missing is skipped there, by name and outside CI, and nowhere else. */
const MAY_SKIP = "test/support/tools.ts";
const NOT_OURS = new Set(["node_modules", "dist", ".git"]);

/** Of the check that runs, which nothing interrupts. */
let root;
let violations;
const report = (file, line, rule) => violations.push(`${file}:${line} ${rule}`);

function* walk(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = posix.join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* walk(path);
  }
}

function readModule(file) {
  const { code, imports } = readSource(file, readFileSync(join(root, file), "utf8"));
  const lineOf = (index) => code.slice(0, index).split("\n").length;
  return {
    file,
    code,
    lineOf,
    place: placeOf(file),
    imports: imports.map(({ at, ...rest }) => ({ ...rest, line: lineOf(at) })),
  };
}

function reportPattern(module, pattern, rule) {
  for (const { index } of module.code.matchAll(pattern)) {
    report(module.file, module.lineOf(index), rule);
  }
}

function checkImportDirection({ file, imports, place }) {
  const packageName = place?.packageName;
  const allowed = packageName === undefined ? ALL_ENTRY_POINTS : (MAY_IMPORT[packageName] ?? []);
  const home = packageName === undefined ? `${file.split("/")[0]}/` : `packages/${packageName}/src/`;
  for (const { specifier, line, target } of imports) {
    const ours = specifier.startsWith("@mini-otp/");
    if ((ours && !allowed.includes(specifier)) || (target && !target.startsWith(home))) {
      report(file, line, `import-direction: "${specifier}" is out of reach from here`);
    }
  }
}

function checkProtocolStandsAlone({ file, imports }) {
  if (!file.startsWith(PROTOCOL)) return;
  for (const { specifier, line, target } of imports) {
    const allowed = specifier.startsWith("node:") || /^(?:#?msgpackr|comlink)(?:\/|$)/.test(specifier);
    if (!allowed && !target?.startsWith(PROTOCOL)) {
      report(file, line, `protocol-stands-alone: "${specifier}" is not part of the protocol`);
    }
  }
}

const NATS = "packages/cluster/src/engine/nats-engine.ts";

/** Everything else of the cluster goes by the interface of its engine. */
function checkNats({ file, imports, place }) {
  if (place === undefined || file === NATS) return;
  for (const { specifier, line } of imports) {
    if (specifier.startsWith("@nats-io/")) report(file, line, `only-file-with-nats: belongs in ${NATS}`);
  }
}

/** Within a package, arrows go down: see rooms.mjs. */
function checkRooms({ file, imports, place }) {
  const floors = ROOMS[place?.packageName];
  if (floors === undefined) return;
  const floor = floors.indexOf(place.room);
  if (floor === -1) return report(file, 1, `room-unknown: "${place.room}" is not among the rooms of scripts/rooms.mjs`);
  for (const { line, target } of imports) {
    const room = target && placeOf(target)?.room;
    if (room && floors.indexOf(room) > floor) report(file, line, `room-order: "${room}" stands above "${place.room}"`);
  }
}

function checkPureCore(module) {
  if (!PURE_CORE.includes(module.file)) return;
  for (const { specifier, line } of module.imports) {
    if (specifier.startsWith("node:")) report(module.file, line, `pure-core: imports "${specifier}"`);
  }
  reportPattern(module, IMPURE, "pure-core: time and chance come in as arguments");
}

/** Main waits for other threads in one place, for a stated time, and hears when that was not enough. */
function checkMainsWaits(module) {
  const { file, code, lineOf } = module;
  if (!MAIN_RUNS.some((folder) => file.startsWith(folder))) return;
  if (MAY_SPIN[file] === undefined) {
    reportPattern(module, SPINS, "main-waits: a loop that something else has to end; only MAY_SPIN's files have one");
  }
  if (!MAY_BLOCK.includes(file)) reportPattern(module, BLOCKS, "main-waits: blocks its thread; main takes locks only");
  // A statement of its own: the caller does not learn that it has no lock.
  reportPattern(
    module,
    /(?<=[;{}]\s*)acquire\s*\(/g,
    "main-waits: acquire() is false when the time is over; act upon it",
  );
  for (const { 1: given, index } of code.matchAll(/\blockPatienceMs\s*:\s*([\w.]+)/g)) {
    if (given !== PATIENCE && given !== "number") {
      report(file, lineOf(index), `main-waits: lockPatienceMs is ${given}; main's is ${PATIENCE}`);
    }
  }
  for (const { 1: ms, index } of code.matchAll(/\bMAIN_LOCK_PATIENCE_MS\s*=\s*([\w.]+)/g)) {
    if (!(Number(ms) <= LONGEST_PATIENCE_MS)) {
      report(file, lineOf(index), `main-waits: ${PATIENCE} is ${ms}; at most ${LONGEST_PATIENCE_MS}`);
    }
  }
}

/** Each cycle is reported once, at the import that closes it. */
function checkImportCycles(modules) {
  const byFile = new Map(modules.map((module) => [module.file, module]));
  const done = new Set();
  const visit = (module, path) => {
    if (done.has(module.file)) return;
    for (const { line, target } of module.imports) {
      const next = byFile.get(target);
      if (next === undefined) continue;
      const start = path.indexOf(next.file);
      if (start === -1) visit(next, [...path, next.file]);
      else report(module.file, line, `import-cycle: ${[...path.slice(start), next.file].join(" → ")}`);
    }
    done.add(module.file);
  };
  for (const module of modules) visit(module, [module.file]);
}

/** Checks the project at `from`. Without any TypeScript in it `files` is 0, and nothing has been checked. */
export function checkBoundaries(from) {
  root = from;
  violations = [];
  const folders = ["packages", "bench", "test", "examples", "scripts", "docs"];
  const paths = folders.filter((folder) => existsSync(join(root, folder))).flatMap((f) => [...walk(f)]);
  for (const path of paths) {
    const stem = posix.basename(path).split(".")[0];
    if (VAGUE_NAME.test(stem)) report(path, 1, `vague-name: "${stem}" says nothing about what is inside`);
  }
  const modules = paths.filter((path) => /\.[cm]?ts$/.test(path) && !/\.d\.[cm]?ts$/.test(path)).map(readModule);
  for (const module of modules) {
    checkImportDirection(module);
    checkProtocolStandsAlone(module);
    checkNats(module);
    checkRooms(module);
    checkPureCore(module);
    checkMainsWaits(module);
    if (module.place !== undefined) {
      for (const { rule, file, also, pattern } of ONLY_ONE_FILE) {
        if (module.file !== file && module.file !== also) reportPattern(module, pattern, `${rule}: belongs in ${file}`);
      }
    }
    if (module.file.startsWith("test/") && module.file !== MAY_SKIP) {
      reportPattern(module, UNFINISHED_TEST, "unfinished-test: every test runs, every time");
    }
  }
  checkImportCycles(modules.filter(({ place }) => place !== undefined));
  return { files: modules.length, violations };
}

if (resolve(process.argv[1] ?? "") === fileURLToPath(import.meta.url)) {
  const given = resolve(process.argv[2] ?? fileURLToPath(new URL("..", import.meta.url)));
  const { files, violations: found } = checkBoundaries(given);
  for (const violation of found) console.log(violation);
  if (files === 0) {
    console.error(`check-boundaries: no TypeScript found under ${given}`);
    process.exitCode = 2;
  } else {
    console.log(`boundaries: ${files} files, ${found.length} violations`);
    if (found.length > 0) process.exitCode = 1;
  }
}
