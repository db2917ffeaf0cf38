import { type ChildProcess, spawn } from "node:child_process";
import { onTestFinished } from "vitest";
import { eventually } from "./eventually.js";

export interface Ended {
  readonly output: string;
  readonly errors: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program in a process of its own. */
export interface Program {
  readonly process: ChildProcess;
  /** What it has printed so far. */
  output(): string;
  errors(): string;
  /** Resolves once it has printed this. */
  says(text: string, deadlineMs?: number): Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Starts one, which is killed when the test ends, if it has not ended by then. */
export function startProgram(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Program {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      texts[stream] += text;
    });
  }
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      over = true;
      resolve({ output: texts.stdout, errors: texts.stderr, code, signal });
    });
  });
  return {
    process: child,
    output: () => texts.stdout,
    errors: () => texts.stderr,
    async says(text, deadlineMs = 20_000) {
      await eventually(() => over || texts.stdout.includes(text), deadlineMs);
      if (!texts.stdout.includes(text))
        throw new Error(`it ended without saying ${text}: ${texts.stdout}${texts.stderr}`);
    },
    ended,
  };
}
