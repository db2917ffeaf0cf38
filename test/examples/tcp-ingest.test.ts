import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { type Program, startProgram } from "../support/program.js";

const main = fileURLToPath(new URL("../../../examples/dist/tcp-ingest/main.js", import.meta.url));
const load = fileURLToPath(new URL("./programs/tcp-load.js", import.meta.url));
/** 20 s, after 8 in which it gets warm. */
const LOAD_MS = 28_000;

interface Ingest {
  readonly program: Program;
  readonly port: number;
  /** Of every line in the output, how often it is there. */
  output(): Map<string, number>;
}

async function startIngest(rounds: number): Promise<Ingest> {
  const folder = mkdtempSync(join(tmpdir(), "tcp-ingest-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = startProgram(main, [folder, "0", String(rounds)]);
  await program.says("listening");
  const port = Number(/127\.0\.0\.1:(\d+)/.exec(program.output())?.[1]);
  return {
    program,
    port,
    output() {
      const times = new Map<string, number>();
      for (const file of readdirSync(folder)) {
        for (const line of readFileSync(join(folder, file), "utf8").trimEnd().split("\n")) {
          if (line === "") continue;
          const { id } = JSON.parse(line);
          times.set(id, (times.get(id) ?? 0) + 1);
        }
      }
      return times;
    },
  };
}

/** Says this, and nothing more. Resolves to the answer once the server has closed the connection. */
async function tell(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true }).setEncoding("utf8");
  let answer = "";
  socket.on("data", (chunk: string) => {
    answer += chunk;
  });
  socket.end(text);
  await once(socket, "close");
  return answer;
}

async function stop({ program }: Ingest) {
  program.process.kill("SIGTERM");
  return program.ended;
}

const item = (id: string): string => `${JSON.stringify({ id, text: "x" })}\n`;

test(
  "under more load than it can take, memory stays flat, clients wait, and SIGTERM loses no acknowledged line",
  async () => {
    const ingest = await startIngest(1000);
    const pid = ingest.program.process.pid as number;
    const driver = await startProgram(load, [String(ingest.port), String(pid), String(LOAD_MS)]).ended;
    const { errors, output, ...end } = await ingest.program.ended;
    expect([errors, driver.errors]).toEqual(["", ""]);
    expect(end).toEqual({ code: 0, signal: null });
    const { clients, acknowledgedBefore, rssMb } = JSON.parse(driver.output);

    const times = ingest.output();
    expect([...times].filter(([, count]) => count !== 1)).toEqual([]);
    for (const { name, acknowledged, sent } of clients) {
      const lost = Array.from({ length: acknowledged }, (_, i) => `${name}-${i}`).filter((id) => !times.has(id));
      expect(lost).toEqual([]);
      if (name.startsWith("flood")) expect(sent).toBeGreaterThan(acknowledged);
    }
    expect(Number(/accepted (\d+) lines/.exec(output)?.[1])).toBe(times.size);
    expect(Number(/paused (\d+) times/.exec(output)?.[1])).toBeGreaterThan(10);

    // Those who read slowly, or say only half of it, do no harm to the others.
    expect(acknowledgedBefore.polite).toBeGreaterThan(10);
    for (const name of ["flood-1", "flood-2", "flood-3"]) expect(acknowledgedBefore[name]).toBeGreaterThan(100);
    expect(times.has("half-0")).toBe(false);

    expect(rssMb.length).toBeGreaterThan(20);
    const median = [...rssMb].sort((a, b) => a - b)[rssMb.length >> 1];
    expect(Math.max(...rssMb)).toBeLessThan(1.2 * median);
    expect(Math.min(...rssMb)).toBeGreaterThan(0.8 * median);
  },
  LOAD_MS + 60_000,
);

test("a client that has said everything gets its last acknowledgement, and all of it is in the output", async () => {
  const ingest = await startIngest(10);
  const ids = Array.from({ length: 2_000 }, (_, i) => `line-${i}`);
  const answer = await tell(ingest.port, ids.map(item).join(""));
  expect(answer.trimEnd().split("\n").at(-1)).toBe("2000");
  expect((await stop(ingest)).code).toBe(0);
  expect([...ingest.output().keys()].sort()).toEqual([...ids].sort());
});

test.each([
  ["is no JSON", "{]\n", /^2\nerror in line 3: .*JSON/],
  ["is no item", "[1]\n", /^2\nerror in line 3: expected \{"id": text, "text": text\}/],
  ["is too long", "x".repeat(200_000), /^2\nerror in line 3: a line is longer than 65536/],
])("a line that %s is refused with its number, and those before it count", async (_what, bad, answer) => {
  const ingest = await startIngest(10);
  const socket = connect(ingest.port, "127.0.0.1").setEncoding("utf8");
  socket.write(item("a") + item("b"));
  expect((await once(socket, "data"))[0]).toBe("2\n");
  let heard = "2\n";
  socket.on("data", (text: string) => {
    heard += text;
  });
  socket.on("error", () => {});
  socket.write(bad + item("c"));
  await once(socket, "close");
  expect(heard).toMatch(answer);
  await stop(ingest);
  expect([...ingest.output().keys()].sort()).toEqual(["a", "b"]);
});
