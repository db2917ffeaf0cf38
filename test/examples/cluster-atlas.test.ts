import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { oneInThree } from "../support/part.js";
import { startProgram } from "../support/program.js";
import { tool } from "../support/tools.js";
import { lastLine, tree } from "./code-atlas.js";

const MAIN = fileURLToPath(new URL("../../../examples/dist/cluster-atlas/main.js", import.meta.url));

/** Enough batches that the work goes on while a node is killed and comes back. */
const sources = Object.fromEntries(
  Array.from({ length: 600 }, (_, i) => [
    `package-${i % 7}/file-${i}.${["js", "ts", "mjs"][i % 3]}`,
    `import { a${i} } from "package-${i % 5}";\n${`export function f${i}(x) { return x.y${i} + a${i}; }\n`.repeat(20)}`,
  ]),
);

test("three nodes, of which one is killed in the middle, find exactly what one thread finds", {
  timeout: 180_000,
}, async () => {
  const server = tool("nats-server");
  const { output, errors, code } = await startProgram(MAIN, [tree(sources), "--json"], { NATS_SERVER: server }).ended;
  const { batches, ...found } = lastLine(output);
  expect(found, errors).toMatchObject({ files: 600, nodes: 3, kills: 1, unreadable: 0, identical: true });
  expect(found.again, errors).toBeGreaterThan(0);
  expect(Object.keys(batches)).toEqual(["a", "b", "c"]);
  expect(batches.b).toBeGreaterThan(0);
  expect(batches.c).toBeGreaterThan(0);
  expect(errors).toContain("node c is killed with kill -9");
  expect(code).toBe(0);
});

const WRONG: [string, string[], RegExp][] = [
  ["a missing DIR", ["no/such/dir"], /no such directory: "no\/such\/dir"/],
  ["two DIRs", [".", ".."], /more than one DIR/],
  ["an unknown option", ["--fast"], /unknown option '--fast'/i],
  ["a server that is none", ["--servers", "http://nats"], /--servers: joinCluster: servers=.*must be a list of/],
  ["a server that is not there", ["--servers", "nats://127.0.0.1:1"], /--servers: joinCluster: no connection to nats:/],
  ["no server", ["--servers", ""], /--servers: joinCluster: servers=/],
  ["a port that is none", ["--observe=70000"], /--observe takes a whole number from 0 to 65535/],
  [
    "a machine without nats-server",
    [],
    /nats-server is not installed\. Debian and Ubuntu: apt-get install nats-server;/,
  ],
];

test.each(WRONG.filter((_, i) => oneInThree(i)))("%s is one clear line and exit code 2", async (_, args, message) => {
  const { output, errors, code } = await startProgram(MAIN, args, { NATS_SERVER: "/no/such/nats-server" }).ended;
  expect(errors).toMatch(message);
  expect(errors.trimEnd().split("\n")).toHaveLength(1);
  expect([output, code]).toEqual(["", 2]);
});
