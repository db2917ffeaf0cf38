import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { TreeNode } from "@mini-otp/runtime";
import { expect, test, vi } from "vitest";
import { ask } from "../observer/ask.js";
import { EventStream } from "../observer/sse.js";
import { eventually } from "../support/eventually.js";
import { everySecond } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { OUTPUT } from "./tour-output.js";

// Programs start, on a machine that may have other work.
vi.setConfig({ testTimeout: 60_000 });

const tour = fileURLToPath(new URL("../../../examples/dist/tour.js", import.meta.url));

/** What is in each step's tree when the step is over; of a step that starts several systems, in each. */
const TREES: Record<string, readonly (readonly string[])[]> = {
  "01-counter": [["counter"]],
  "02-restart-types": [["permanent-finish", "permanent-crash", "transient-finish", "transient-crash"]],
  "03-one-for-all-pair": [["store", "writer"]],
  // It has ended by itself, with everything below it.
  "04-escalation": [[]],
  "05-dynamic-supervisor": [["jobs"]],
  "06-links-and-monitors": [["eve", "kim"]],
  "07-persistent-counter": [["counter"], ["counter"], ["counter"]],
  "08-router": [["counters", "counters/0", "counters/1", "counters/2", "counters/3", "reader"]],
  "09-pool": [["primes", "asker"]],
  "10-hot-upgrade": [["till"]],
  "11-streams": [["primes", "reader"]],
  "12-native-code": [["camera"]],
};

function idsIn({ id, children = [] }: TreeNode): string[] {
  return [id, ...children.flatMap(idsIn)];
}

/** The exit code that says so. */
const ROOT_GAVE_UP = 1;

test.each(Object.entries(TREES).filter(everySecond(1)))(
  "%s runs with the observer on, which shows its tree",
  async (step, trees) => {
    const program = startProgram(tour, [step, "--observe"]);
    const pages = () => [...program.errors().matchAll(/^observer: (.*)\/#token=.*\n(?:press Enter)/gm)];
    for (const [at, ids] of trees.entries()) {
      await eventually(() => pages().length > at, 30_000);
      const [, url] = pages()[at];
      expect((await ask(url, "/")).text).toContain("<title>");
      expect(idsIn((await ask(url, "/api/tree")).json)).toEqual(["root", ...ids.map((id) => `root/${id}`)]);
      program.process.stdin?.write("\n");
    }
    const { output, code } = await program.ended;
    expect(output).toBe(OUTPUT[step].trimStart());
    expect(code).toBe(step === "04-escalation" ? ROOT_GAVE_UP : 0);
  },
);

test("a system that has ended by itself is looked back on: the page has the events that led to it", async () => {
  const program = startProgram(tour, ["04-escalation", "--observe"]);
  await eventually(() => program.errors().includes("press Enter"), 30_000);
  const [, url = ""] = /^observer: (.*)\/#token=/m.exec(program.errors()) ?? [];
  expect((await ask(url, "/api/tree")).json).toMatchObject({ id: "root", state: "stopped" });
  const stream = await EventStream.open(url);
  await eventually(() => stream.events.some(({ event }) => event === "system_stopped"));
  const escalated = stream.events.filter(({ event }) => event === "supervisor_escalated").map(({ id }) => id);
  expect(escalated).toEqual(["root/inner", "root/inner", "root"]);
  program.process.stdin?.end();
  expect((await program.ended).code).toBe(ROOT_GAVE_UP);
});

test("every step of the tour has a tree to show", () => {
  expect(Object.keys(TREES)).toEqual(Object.keys(OUTPUT));
});

test("the tour runs a step by its number, and hands it the rest of the command line", async () => {
  const counted = await startProgram(tour, ["1"]).ended;
  expect(counted).toMatchObject({ output: OUTPUT["01-counter"].trimStart(), errors: "", code: 0 });
});

test("without a step the tour says which there are", async () => {
  const listed = await startProgram(tour).ended;
  for (const step of Object.keys(OUTPUT)) expect(listed.errors).toMatch(new RegExp(`${step} +[A-Z]`));
  expect(listed.code).toBe(0);
});

test.each<[string, string[], string]>([
  ["a step that there is not", ["13"], `no step "13"; there are ${Object.keys(OUTPUT).join(", ")}`],
  ["a number that is none of a step", ["0x1"], `no step "0x1"; there are ${Object.keys(OUTPUT).join(", ")}`],
  ["two files for a step that takes one", ["7", "a", "b"], '07-persistent-counter takes nothing more: "b"'],
  ["an unknown option", ["1", "--fast"], "Unknown option '--fast' (see --help)"],
  ["a port that there is not", ["1", "--observe=a"], '--observe takes a whole number from 0 to 65535, not "a"'],
  ["a value for a step that takes none", ["1", "2"], '01-counter takes nothing more: "2"'],
])("%s is one clear line and exit code 2", async (_, args, message) => {
  expect(await startProgram(tour, args).ended).toMatchObject({ output: "", errors: `tour: ${message}\n`, code: 2 });
});

test("a port in use is one clear line and exit code 2", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { errors, code } = await startProgram(tour, ["1", `--observe=${port}`]).ended;
  server.close();
  expect({ errors, code }).toEqual({ errors: `tour: --observe: port ${port} is in use\n`, code: 2 });
});
