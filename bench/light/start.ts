import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Spread, spreadOf } from "../statistics.js";

/** What the start of one contender has cost in one process. */
interface Started {
  readonly startMs: number;
  readonly bytesEach: number;
}

export interface StartResult {
  readonly name: string;
  readonly actors: number;
  readonly startMs: Spread;
  readonly spawnUs: Spread;
  readonly bytesEach: Spread;
}

interface Contender {
  readonly name: string;
  /** Throws what it is absent for, as text. */
  run(actors: number): Started | { readonly absent: string };
}

const child = fileURLToPath(new URL("./start-child.js", import.meta.url));
const erlangSource = fileURLToPath(new URL("../../baseline/erlang/among.erl", import.meta.url));

function node(name: string, contender: string): Contender {
  return {
    name,
    run(actors) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--expose-gc", child, contender, String(actors)],
        {
          encoding: "utf8",
        },
      );
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      return JSON.parse(stdout);
    },
  };
}

const erlang: Contender = {
  name: "Erlang",
  run(actors) {
    const folder = mkdtempSync(join(tmpdir(), "mini-otp-bench-"));
    try {
      const compiled = spawnSync("erlc", ["-o", folder, erlangSource]);
      if (compiled.error !== undefined) return { absent: "not installed: erlc" };
      const args = ["-noshell", "+S", "1:1", "+P", "1000000", "-pa", folder, "-run", "among", "main", "start"];
      const { stdout } = spawnSync("erl", [...args, String(actors)], { encoding: "utf8" });
      const [ns, bytes] = stdout.trim().split(" ").map(Number);
      return { startMs: ns / 1e6, bytesEach: bytes };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const CONTENDERS: readonly Contender[] = [
  node("light actors", "light"),
  node("keyed actor", "keyed"),
  node("plain objects", "plain"),
  node("nact", "nact"),
  erlang,
];

/** Each contender in a process of its own, round by round: A B C A B C …, each with a state of the same fields. */
export function measureStarts(actors: number, rounds: number): { results: StartResult[]; absent: string[] } {
  const all = new Map<string, Started[]>();
  const absent = new Map<string, string>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, run } of CONTENDERS) {
      if (absent.has(name)) continue;
      const started = run(actors);
      if ("absent" in started) absent.set(name, started.absent);
      else all.set(name, [...(all.get(name) ?? []), started]);
    }
  }
  const results = [...all].map(([name, list]) => ({
    name,
    actors,
    startMs: spreadOf(list.map(({ startMs }) => startMs)),
    spawnUs: spreadOf(list.map(({ startMs }) => (startMs * 1_000) / actors)),
    bytesEach: spreadOf(list.map(({ bytesEach }) => bytesEach)),
  }));
  return { results, absent: [...absent].map(([name, reason]) => `${name}: ${reason}`) };
}
