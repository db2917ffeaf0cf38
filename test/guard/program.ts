import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Ended {
  readonly output: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Runs one of the programs beside this file in a process of its own. */
export function runProgram(
  name: string,
  { args = [], execArgv = [], env = {} }: { args?: string[]; execArgv?: string[]; env?: Record<string, string> } = {},
): Promise<Ended> {
  const path = fileURLToPath(new URL(`./programs/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [...execArgv, path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
    timeout: 25_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ output, code, signal }));
  });
}
