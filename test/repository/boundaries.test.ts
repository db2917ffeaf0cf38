import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/check-boundaries.mjs", import.meta.url));
const { checkBoundaries } = (await import(pathToFileURL(script).href)) as {
  checkBoundaries(root: string): { files: number; violations: string[] };
};
const trees: string[] = [];

afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** The command, in a process of its own. */
function command(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: "utf8" });
  return { exitCode: status, lines: stdout.split("\n").filter((line) => line !== ""), stderr };
}

/** A tree of a project that holds these files and nothing else. */
function treeOf(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "boundaries-"));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

const checkTree = (files: Record<string, string>) => checkBoundaries(treeOf(files));

const GOOD_TREE = {
  "packages/worker-host/src/index.ts": 'export { wake } from "./protocol/memory/doorbell.js";\n',
  "packages/worker-host/src/host/worker-main.cts":
    'import { parentPort } from "node:worker_threads";\nparentPort?.close();\n',
  "packages/worker-host/src/protocol/memory/index.ts": 'export { wake } from "./doorbell.js";\n',
  "packages/worker-host/src/protocol/memory/doorbell.ts":
    "export const wake = (words: Int32Array) => Atomics.notify(words, 0);\n",
  "packages/worker-host/src/protocol/values/codec.ts":
    'import { Packr } from "msgpackr";\nimport { isProxy } from "node:util/types";\nexport { isProxy, Packr };\n',
  "packages/runtime/src/index.ts": 'import "@mini-otp/worker-host/protocol/ring";\n',
  "packages/runtime/src/threads/actor-thread.ts":
    'import { Worker } from "node:worker_threads";\nexport const open = (url: URL) => new Worker(url);\n',
  "packages/runtime/src/supervision/backoff.ts": "export const next = (delayMs: number) => delayMs * 2;\n",
  "packages/metrics/src/index.ts": 'import "@mini-otp/runtime";\n',
  "test/messaging/order.test.ts": 'import "@mini-otp/runtime/testing";\n',
  // The one place where a test may be: without the tool that it needs.
  "test/support/tools.ts": `context.${"skip"}("no promtool");\n`,
};

describe("a tree that keeps the rules", () => {
  test("passes", () => {
    expect(checkTree(GOOD_TREE)).toEqual({ files: 11, violations: [] });
    expect(command(treeOf(GOOD_TREE))).toEqual({
      exitCode: 0,
      lines: ["boundaries: 11 files, 0 violations"],
      stderr: "",
    });
  });

  test("may name in comments, strings and regular expressions what it may not do", () => {
    const { violations } = checkTree({
      "packages/runtime/src/directory/registry.ts": [
        "// Never Date.now(), never `new Worker(url)`.",
        "/* parentPort",
        '   Atomics.wait, import "node:fs" */',
        'export const advice = "not setTimeout(): \\" Atomics.notify";',
        "export const pattern = /['\"`/]new Worker(?=[/`])/;",
        "export const text = `performance ${`setTimeout ${1}`} Math.random`;",
      ].join("\n"),
    });
    expect(violations).toEqual([]);
  });
});

// Each row breaks one rule once: what it is, the file, its text, the line reported and the rule.
const BROKEN: [breach: string, file: string, lines: string[], line: number, rule: string][] = [
  [
    "worker-host imports runtime",
    "packages/worker-host/src/index.ts",
    ["", 'import { startSystem } from "@mini-otp/runtime";'],
    2,
    "import-direction",
  ],
  [
    "runtime imports metrics, if only a type",
    "packages/runtime/src/index.ts",
    ['import type { Observer } from "@mini-otp/metrics";'],
    1,
    "import-direction",
  ],
  [
    "metrics reaches past runtime",
    "packages/metrics/src/index.ts",
    ['export * from "@mini-otp/worker-host/protocol/ring";'],
    1,
    "import-direction",
  ],
  [
    "runtime imports the cluster",
    "packages/runtime/src/index.ts",
    ['import type { Cluster } from "@mini-otp/cluster";'],
    1,
    "import-direction",
  ],
  [
    "a second file of the cluster imports NATS",
    "packages/cluster/src/names/names.ts",
    ['import type { KV } from "@nats-io/kv";'],
    1,
    "only-file-with-nats",
  ],
  [
    "runtime reaches inside worker-host by name",
    "packages/runtime/src/index.ts",
    ['import "@mini-otp/worker-host/dist/actor-loop.js";'],
    1,
    "import-direction",
  ],
  [
    "runtime reaches inside worker-host by path",
    "packages/runtime/src/index.ts",
    ["export {", "  loop,", '} from "../../worker-host/src/loop/actor-loop.js";'],
    3,
    "import-direction",
  ],
  [
    "a test reaches inside a package by path",
    "test/messaging/order.test.ts",
    ['await import("../../packages/runtime/src/mailbox.js");'],
    1,
    "import-direction",
  ],
  [
    "the protocol imports a library's type",
    "packages/worker-host/src/protocol/ring/frame.ts",
    ['import type { Context } from "lodash";'],
    1,
    "protocol-stands-alone",
  ],
  [
    "the protocol imports a library",
    "packages/worker-host/src/protocol/values/codec.ts",
    ['import { pino } from "pino";'],
    1,
    "protocol-stands-alone",
  ],
  [
    "a second file starts threads",
    "packages/runtime/src/router/router.ts",
    ['import * as threads from "node:worker_threads";', "new threads.Worker(url);"],
    2,
    "only-file-with-new-worker",
  ],
  [
    "a second file starts processes",
    "packages/runtime/src/router/router.ts",
    ['import { fork } from "node:child_process";', 'fork("child.js");'],
    2,
    "only-file-that-starts-processes",
  ],
  [
    "a second file touches the parent port",
    "packages/worker-host/src/actor/context.ts",
    ['import { parentPort } from "node:worker_threads";'],
    1,
    "only-file-with-parent-port",
  ],
  [
    "a second file waits",
    "packages/worker-host/src/loop/inbox.ts",
    ["const words = new Int32Array(1);", "const parked = `${Atomics.waitAsync(words, 0, 0)}`;"],
    2,
    "only-file-with-atomics-wait",
  ],
  [
    "a second file waits under another name",
    "packages/runtime/src/mailbox/mailbox.ts",
    ["const { wait } = Atomics;"],
    1,
    "only-file-with-atomics-wait",
  ],
  [
    "main goes round until another thread does something",
    "packages/runtime/src/mailbox/mailbox.ts",
    ["export function settle(words: Int32Array) {", "  while (Atomics.load(words, 0) !== 0);", "}"],
    2,
    "main-waits",
  ],
  [
    "main goes round without an end",
    "packages/metrics/src/observer/watch.ts",
    ["export const look = (done: () => boolean) => {", "  for (;;) if (done()) return;", "};"],
    2,
    "main-waits",
  ],
  [
    "main has no end of patience with a lock",
    "packages/runtime/src/system/actors.ts",
    ["export const producer = { ownerId: 1, lockPatienceMs: Infinity, epochMs: 0 };"],
    1,
    "main-waits",
  ],
  [
    "main's patience with a lock is long",
    "packages/worker-host/src/protocol/memory/ring-lock.ts",
    ["", "export const MAIN_LOCK_PATIENCE_MS = 500;"],
    2,
    "main-waits",
  ],
  [
    "main does not hear that it has no lock",
    "packages/runtime/src/mailbox/slots.ts",
    ["export function relocate(words: Int32Array) {", "  acquire(words, 0, producer);", "}"],
    2,
    "main-waits",
  ],
  [
    "main blocks",
    "packages/runtime/src/mailbox/full-mailboxes.ts",
    ["export const rest = (words: Int32Array) => napWhile(words, 0, 1, 1);"],
    1,
    "main-waits",
  ],
  [
    "the pure core reads the clock",
    "packages/worker-host/src/protocol/options/restart-intensity.ts",
    ["export const now = () => Date.now();"],
    1,
    "pure-core",
  ],
  [
    "the pure core throws dice",
    "packages/runtime/src/supervision/backoff.ts",
    ["export const jitter = () => Math.random();"],
    1,
    "pure-core",
  ],
  [
    "the pure core imports a part of Node",
    "packages/runtime/src/signals/monitors.ts",
    ['import { EventEmitter } from "node:events";'],
    1,
    "pure-core",
  ],
  [
    "a room imports one that stands above it, if only a type",
    "packages/runtime/src/supervision/child.ts",
    ["", 'import type { Router } from "../router/router.js";'],
    2,
    "room-order",
  ],
  [
    "a room of the protocol imports one that stands above it",
    "packages/worker-host/src/protocol/memory/segments.ts",
    ['export { push } from "../ring/ring-writer.js";'],
    1,
    "room-order",
  ],
  ["a file stands outside of all rooms", "packages/runtime/src/broker.ts", ["export {};"], 1, "room-unknown"],
  ["a folder is no room", "packages/metrics/src/export/csv.ts", ["export {};"], 1, "room-unknown"],
  ["a file is named for nothing", "packages/runtime/src/router/utils.ts", ["export {};"], 1, "vague-name"],
  [
    "a test is left out",
    "test/messaging/order.test.ts",
    ["", "", `test.${"skip"}("keeps order", () => {});`],
    3,
    "unfinished-test",
  ],
  [
    "a table of tests is run alone",
    "test/messaging/order.test.ts",
    [`test.${"only"}.each([1])("keeps order", () => {});`],
    1,
    "unfinished-test",
  ],
];

describe("a tree in which", () => {
  test.each(BROKEN)("%s is refused", (_breach, file, lines, line, rule) => {
    const { violations } = checkTree({ [file]: lines.join("\n") });
    expect(violations).toEqual([expect.stringMatching(`^${file}:${line} ${rule}: `)]);
  });

  test("a folder is named for nothing is refused, by the command too", () => {
    const tree = treeOf({ "test/shared/mailbox.ts": "export {};" });
    const vague = expect.stringMatching(/^test\/shared:1 vague-name: /);
    expect(checkBoundaries(tree).violations).toEqual([vague]);
    const { exitCode, lines } = command(tree);
    expect({ exitCode, lines }).toEqual({ exitCode: 1, lines: [vague, "boundaries: 1 files, 1 violations"] });
  });

  test("the protocol imports the rest of its package is refused, as an outsider and as a room above", () => {
    const { violations } = checkTree({
      "packages/worker-host/src/protocol/ring/frame.ts": 'import type { Context } from "../../actor/context.js";',
    });
    expect(violations).toEqual([
      expect.stringMatching(/frame\.ts:1 protocol-stands-alone: /),
      expect.stringMatching(/frame\.ts:1 room-order: "actor" stands above "protocol\/ring"/),
    ]);
  });

  test("three files import one another in a ring is refused, once", () => {
    const { violations } = checkTree({
      "packages/runtime/src/router/a.ts": 'import "./b.js";',
      "packages/runtime/src/router/b.ts": 'import "./c.js";',
      "packages/runtime/src/router/c.ts": '\nimport type { A } from "./a.js";',
      "packages/runtime/src/system/d.ts": 'import "../router/c.js";\nimport "../router/a.js";',
    });
    expect(violations).toEqual([
      "packages/runtime/src/router/c.ts:2 import-cycle: packages/runtime/src/router/a.ts → " +
        "packages/runtime/src/router/b.ts → packages/runtime/src/router/c.ts → packages/runtime/src/router/a.ts",
    ]);
  });
});

test("a tree without sources is an error, not a pass", () => {
  const { exitCode, lines, stderr } = command(treeOf({ "README.md": "# Nothing" }));
  expect({ exitCode, lines }).toEqual({ exitCode: 2, lines: [] });
  expect(stderr).toContain("no TypeScript found under");
});

// Promise: main-goes-thread-stands
test("the project itself keeps the rules", () => {
  expect(command()).toEqual({
    exitCode: 0,
    lines: [expect.stringMatching(/^boundaries: \d{3,} files, 0 violations$/)],
    stderr: "",
  });
});
