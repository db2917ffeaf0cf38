// Takes lines of JSON over TCP, and lets actors work on them. When these are busy the clients wait; SIGTERM loses no
// line that was acknowledged. Usage: node main.js <folder for the output> [port] [rounds of work for a line]
import { join } from "node:path";
import { type ActorRef, handleSignals, resource, startSystem } from "@mini-otp/runtime";
import { intake } from "./intake.js";
import { listen } from "./listener.js";
import type Worker from "./worker.actor.js";

const [folder, port = "0", rounds = "500"] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: node main.js <folder> [port] [rounds]");

const system = await startSystem({ name: "tcp-ingest" });
handleSignals(system);

const workers: ActorRef<typeof Worker>[] = [];
for (const id of ["worker-1", "worker-2"]) {
  const worker = await system.startChild<typeof Worker>({
    id,
    actor: new URL("./worker.actor.js", import.meta.url),
    args: { file: join(folder, `${id}.ndjson`), rounds: Number(rounds) },
    mailbox: { capacity: 256 },
  });
  workers.push(worker);
}

// The last to start is the first to stop: no line is accepted that the workers would not take.
const listener = await system.startChild(
  resource({
    id: "listener",
    start: ({ fail }) => listen(Number(port), intake(workers), fail),
    async stop(tcp) {
      await tcp.stop();
      console.log(`accepted ${tcp.accepted} lines, paused ${tcp.pauses} times`);
    },
  }),
);
console.log(`listening on 127.0.0.1:${listener.port}`);
system.on("actor_exited", ({ id, reason }) => console.log(`${id} ended: ${reason.kind}`));
