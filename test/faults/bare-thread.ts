import { workerData } from "node:worker_threads";

const { fault } = (await import(`./${workerData}.actor.js`)) as { fault: () => unknown };
await fault();
