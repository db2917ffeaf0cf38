// Runs one fault program in a bare worker thread that has only resourceLimits, and prints how it ended.
// Usage: node run-bare.js <fault>
import { Worker } from "node:worker_threads";

const worker = new Worker(new URL("./bare-thread.js", import.meta.url), {
  workerData: process.argv[2],
  resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 },
  stdout: true,
});
worker.stdout.resume();
let died: string | undefined;
worker.on("error", (error: Error & { code?: string }) => {
  died = error?.code ?? "error";
});
worker.on("exit", (code) => console.log(died ?? `exit ${code}`));
