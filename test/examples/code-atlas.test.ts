import { execFile } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { ofPart, oneInThree } from "../support/part.js";
import { exampleUrl, lastLine, tree } from "./code-atlas.js";

const main = fileURLToPath(exampleUrl("main"));
const { INIT_CWD: _, ...environment } = process.env;

/** Runs the command; resolves whatever its exit code. */
async function start(args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  const run = promisify(execFile)(process.execPath, [main, ...args], {
    ...options,
    env: { ...environment, ...options.env },
  });
  const { code = 0, stdout, stderr } = await run.catch((error) => error);
  return { code, stdout: stdout as string, stderr: stderr as string };
}

const sources = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [
    `package-${i % 7}/file-${i}.${["js", "ts", "mjs", "cjs"][i % 4]}`,
    i === 13
      ? "const = 1"
      : `import { a${i} } from "package-${i % 5}";\n${`export function f${i}(x) { return x.y${i} + a${i}; }\n`.slice(0, 400)}`,
  ]),
);

describe("the command", () => {
  const wrong: [string, string[], RegExp][] = [
    ["a missing DIR", ["no/such/dir"], /no such directory: "no\/such\/dir"/],
    ["an empty DIR", [""], /no such directory: ""/],
    ["a file", [main], /not a directory/],
    ["an unknown option", ["--fast"], /unknown option '--fast'/i],
    ["a value for an option that has none", ["--single=1"], /'--single' does not take an argument/],
    ["two DIRs", [".", ".."], /more than one DIR/],
    ["no parsers", ["--parsers", "0"], /--parsers takes a whole number/],
    ["a missing number", ["--parsers"], /'--parsers <value>' argument missing/],
    ["another option in place of a number", ["--parsers", "--json"], /'--parsers' argument is ambiguous/],
    [
      "a number with a fraction",
      ["--heap-cap", "64.5"],
      /--heap-cap takes a whole number from 32 to 16384, not "64.5"/,
    ],
    ["a port that there is not", ["--observe=65536"], /--observe takes a whole number from 0 to 65535, not "65536"/],
    ["a page of no actors", ["--single", "--observe"], /--single has no actors that --observe could show/],
  ];
  test.each(wrong.filter((_, i) => oneInThree(i)))("%s is one clear line and exit code 2", async (_, args, message) => {
    const { code, stdout, stderr } = await start(args);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n").length).toBe(1);
  });

  test("a port in use is one clear line and exit code 2", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { code, stdout, stderr } = await start([tree(sources), `--observe=${port}`]);
    server.close();
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: `code-atlas: --observe: port ${port} is in use\n`,
    });
  });

  test("--help tells the options", async () => {
    const { code, stdout } = await start(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["--single", "--no-faults", "--json", "--parsers"]) expect(stdout).toContain(flag);
  });

  test("--single --json prints one object, and claims no comparison", async () => {
    const { code, stdout } = await start([tree(sources), "--single", "--json"]);
    expect(code).toBe(0);
    expect(stdout.trimEnd().split("\n").length).toBe(1);
    const report = lastLine(stdout);
    expect(report).toMatchObject({ files: 60, parseErrors: 1, speedUp: 1, restarts: {}, identical: null });
    expect(report.seconds).toBe(report.singleSeconds);
    expect(report.digest).toMatch(/^[\da-f]{64}$/);
  });

  test("takes DIR with and without a leading --, relative to where the user is", async () => {
    const root = tree({ "sub/a.js": "let a" });
    const elsewhere = tree();
    const reports = await Promise.all([
      start(["sub", "--single", "--json"], { cwd: root }),
      start(["--", "sub", "--single", "--json"], { cwd: root }),
      start(["--", "sub", "--json", "--single"], { cwd: elsewhere, env: { INIT_CWD: root } }),
    ]);
    for (const { stdout } of reports) expect(lastLine(stdout).files).toBe(1);
  });

  test("an empty tree says so, and is an atlas of no files", async () => {
    const root = tree({ "a.txt": "" });
    const message = `code-atlas: no JavaScript or TypeScript files under "${root}"\n`;
    expect(await start([root])).toEqual({ code: 0, stdout: "", stderr: message });
    const { code, stdout, stderr } = await start([root, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: message });
    expect(lastLine(stdout)).toMatchObject({ files: 0, bytes: 0, restarts: {}, identical: true });
  });

  const some: [string, number, string][] = [
    ["one parser takes all three", 60, "1"],
    ["a single file", 1, "2"],
  ];
  test.each(ofPart(some, some, [...some, ["two parsers", 60, "2"], ["three parsers", 60, "3"]]))(
    "every fault happens once and changes nothing: %s",
    async (_, files, parsers) => {
      const root = tree(Object.fromEntries(Object.entries(sources).slice(0, files)));
      const { code, stdout, stderr } = await start([root, "--json", "--parsers", parsers]);
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("code-atlas:")]);
      const report = lastLine(stdout);
      expect(report).toMatchObject({
        files,
        faults: { leak: true, throw: true, exit: true },
        restarts: { heap_cap_exceeded: 1, error: 1, exit_called: 1 },
        identical: true,
      });
      const alone = await start([root, "--single", "--json"]);
      expect(lastLine(alone.stdout).digest).toBe(report.digest);
    },
  );

  test("--no-faults restarts none", async () => {
    const { code, stdout } = await start([tree(sources), "--json", "--no-faults"]);
    expect(code).toBe(0);
    expect(lastLine(stdout)).toMatchObject({ files: 60, restarts: {}, identical: true });
  });

  test("tells a person the same", async () => {
    const { code, stdout } = await start([tree(sources)]);
    expect(code).toBe(0);
    for (const line of [/^files: +60, /m, /^speed-up: /m, /^restarts: .*heap_cap_exceeded 1/m, /^identical: +yes$/m]) {
      expect(stdout).toMatch(line);
    }
  });
});
