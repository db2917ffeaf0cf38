// Whether a child is started again depends on how it ended, and on its restart type.
import { startSystem } from "@mini-otp/runtime";
import type Worker from "./worker.actor.js";

await using system = await startSystem({ logger: false, intensity: 10, periodMs: 60_000 });
const actor = new URL("./worker.actor.js", import.meta.url);

for (const restart of ["permanent", "transient", "temporary"] as const) {
  for (const ending of ["finish", "crash"] as const) {
    const id = `${restart}-${ending}`;
    const worker = await system.startChild<typeof Worker>({ id, actor, restart });
    const exited = new Promise<string>((resolve) => {
      system.monitor(worker, ({ reason }) => resolve(reason.kind));
    });
    await worker.cast(ending);
    const kind = await exited;
    // When an event tells of an exit, the supervisor has already dealt with it.
    const state = system.whichChildren().find((child) => child.id === id)?.state ?? "gone";
    console.log(`${restart} ended with ${kind}: ${state}`);
  }
}
