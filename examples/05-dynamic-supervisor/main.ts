// Children that come and go: each says only how it differs from the template, and is forgotten when it has ended.
import { type ActorRef, dynamicSupervisor, isActorError, startSystem } from "@mini-otp/runtime";
import type Job from "./job.actor.js";

await using system = await startSystem({ logger: false });
const jobs = await system.startChild(
  dynamicSupervisor({
    id: "jobs",
    maxChildren: 3,
    template: { id: "job", actor: new URL("./job.actor.js", import.meta.url), restart: "transient" },
  }),
);

const started: ActorRef<typeof Job>[] = [];
for (const text of ["stressed", "drawer", "reward", "live"]) {
  try {
    started.push(await jobs.startChild<typeof Job>({ args: { text } }));
  } catch (error) {
    console.log("refused:", text, isActorError(error) && error.code);
  }
}
console.log(
  "running:",
  jobs.whichChildren().map(({ id }) => id),
);

const ended = started.map((job) => new Promise((resolve) => system.monitor(job, resolve)));
for (const job of started) console.log(job.id, await job.call("run"));
await Promise.all(ended);
console.log("running:", jobs.countChildren().active);
