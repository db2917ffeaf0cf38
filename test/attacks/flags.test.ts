import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { oneInThree } from "../support/part.js";

const program = fileURLToPath(new URL("./programs/flags.js", import.meta.url));
const WORKS = "works 1 2\n";
const [major] = process.versions.node.split(".").map(Number);
const PERMISSION = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission";

function run(flags: readonly string[], logger = "none", env: NodeJS.ProcessEnv = {}): string {
  const { stdout } = spawnSync(process.execPath, [...flags, program, logger], {
    encoding: "utf8",
    timeout: 25_000,
    env: { ...process.env, ...env },
  });
  return stdout.replace(/^Warning: disabling flag .*\n/, "");
}

const FLAGS = [
  ["--frozen-intrinsics"],
  ["--jitless"],
  ["--jitless", "--frozen-intrinsics"],
  ["--disable-proto=delete"],
  ["--disable-proto=throw"],
  ["--no-addons"],
  ["--disallow-code-generation-from-strings"],
  ["--stack-size=500"],
  ["--max-old-space-size=100"],
  ["--experimental-vm-modules"],
  ["--enable-source-maps"],
  [PERMISSION, "--allow-fs-read=*", "--allow-worker"],
];
test.concurrent.each(FLAGS.filter((_, i) => oneInThree(i)).map((flags) => ({ flags, shown: flags.join(" ") })))(
  "actors work under $shown",
  async ({ flags }) => {
    expect(run(flags)).toBe(WORKS);
  },
);

test.each(["--jitless", "--disable-proto=delete --enable-source-maps --max-old-space-size=100"])(
  "actors work under NODE_OPTIONS=%s",
  (options) => {
    expect(run([], "none", { NODE_OPTIONS: options })).toBe(WORKS);
  },
);

test("the default logger works with frozen intrinsics, or says in one line that it does not", () => {
  const said = run(["--frozen-intrinsics"], "default");
  const refusal = /^ERR_INVALID_CHILD_SPEC .*logger=undefined, must be .*--frozen-intrinsics from Node 22 on\n$/;
  if (major < 22) expect(said).toMatch(refusal);
  else expect(said).toBe(WORKS);
});

test("a heap limit of the process that is below an actor's cap is named in one line", () => {
  expect(run(["--max-old-space-size=32"])).toMatch(/^ERR_HEAP_CAP_INEFFECTIVE .*--max-old-space-size=32.*\n$/);
});

test("without --allow-worker the error says what is missing", () => {
  expect(run([PERMISSION, "--allow-fs-read=*"])).toMatch(/^ERR_INIT_FAILED .*(--allow-worker|restricted).*\n$/);
});
