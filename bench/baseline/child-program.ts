import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Absent, type Contender, type Round, type Runner } from "../contender.js";

/** A program of another language. */
export interface ChildProgram {
  readonly name: string;
  readonly how: string;
  /** Relative to this folder. */
  readonly source: string;
  /** The arguments of the compiler, its program first. */
  compile(source: string, folder: string): readonly [string, ...string[]];
  /** The arguments of the program, the program first. */
  run(folder: string): readonly [string, ...string[]];
}

/**
 * Compiles a program and keeps it running. It reads a line with the amount of work for each round and answers with a
 * line of nanoseconds by its own clock: elapsed, and for round trips their median and 99th percentile.
 */
export function childContender(program: ChildProgram): Contender {
  return {
    name: program.name,
    how: program.how,
    isChild: true,
    async start(): Promise<Runner> {
      const folder = mkdtempSync(join(tmpdir(), "mini-otp-bench-"));
      const discard = (): void => rmSync(folder, { recursive: true, force: true });
      try {
        // From dist/baseline to the sources.
        const source = fileURLToPath(new URL(`../../baseline/${program.source}`, import.meta.url));
        compile(program.compile(source, folder));
        const [command, ...args] = program.run(folder);
        const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
        const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
        return {
          async round(work): Promise<Round> {
            child.stdin.write(`${work}\n`);
            const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
            if (done === true) throw new Error(`${command} has ended`);
            return roundOf(work, value);
          },
          async stop() {
            await end(child);
            discard();
          },
        };
      } catch (error) {
        discard();
        throw error;
      }
    },
  };
}

function compile([command, ...args]: readonly [string, ...string[]]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") throw new Absent(`not installed: ${command}`);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} failed: ${stderr}`);
}

function roundOf(work: number, line: string): Round {
  const [elapsedNs, medianNs, p99Ns] = line.trim().split(" ").map(Number);
  const elapsedMs = elapsedNs / 1e6;
  return medianNs === undefined || p99Ns === undefined
    ? { work, elapsedMs }
    : { work, elapsedMs, latency: { medianUs: medianNs / 1000, p99Us: p99Ns / 1000 } };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill();
  await exited;
}
