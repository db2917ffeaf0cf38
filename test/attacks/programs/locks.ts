// An actor stands still, or dies, before its n-th atomic operation, for every n there is; main goes on. Prints how often
// it did, and the longest that main was away meanwhile. Argument: what the actor does then.
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type ActorRef, isActorError, startSystem } from "@mini-otp/runtime";
import type Holder from "../fixtures/holder.actor.js";

const [what] = process.argv.slice(2);
/** A thread that does nothing for so long is ended. One that a busy machine holds back as long is one more that is. */
const STANDS_MS = 400;
const MOST = 60;
const MOST_STOOD = 12;
const actor = new URL("../fixtures/holder.actor.js", import.meta.url);
const system = await startSystem({ logger: false, intensity: 1_000_000, periodMs: 1 });
const bystander: ActorRef<any> = await system.startChild<typeof Holder>({ id: "bystander", actor });

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const delay = monitorEventLoopDelay({ resolution: 1 });

/** Main sends known and unknown names to everyone, until `over`. */
async function sendMeanwhile(over: Promise<unknown>, to: readonly ActorRef<any>[]): Promise<number> {
  let done = false;
  void over.then(() => {
    done = true;
  });
  let rounds = 0;
  delay.enable();
  for (; !done; rounds++) {
    for (const ref of to) {
      ref.tryCast("ping");
      ref.tryCast(`unknown ${rounds}`);
      void ref
        .with({ timeoutMs: 20_000 })
        .cast("ping")
        .catch(() => {});
    }
    await bystander.with({ timeoutMs: 20_000 }).call("ping");
    await turn();
  }
  delay.disable();
  return rounds;
}

let held = 0;
let rounds = 0;
if (what === "names") {
  // While its names are entered: it stands and is killed for it, or dies by itself.
  for (const how of ["STAND_AT", "DIE_AT"] as const) {
    for (let n = 1; n < MOST; n++) {
      const env = { [how]: String(n), NAMES: `${how} ${n} ` };
      const id = `holder ${how} ${n}`;
      const startTimeoutMs = how === "STAND_AT" ? STANDS_MS : 20_000;
      const start = system.startChild<typeof Holder>({ id, actor, env, startTimeoutMs });
      const outcome = start.then(
        () => "started",
        (error: unknown) => (isActorError(error) ? "failed" : "odd"),
      );
      rounds += await sendMeanwhile(outcome, [bystander]);
      if ((await outcome) !== "failed") break;
      held++;
      // The next one can enter names of its own.
      const after = `after ${how} ${n} `;
      const next: ActorRef<any> = await system.startChild({ id: `next ${id}`, actor, env: { NAMES: after } });
      if ((await next.call(`${after}3`)) !== `${after}3`) throw new Error("not its own");
      await system.terminateChild(`next ${id}`);
      // Each of these takes its time.
      if (how === "STAND_AT" && n >= MOST_STOOD) break;
    }
  }
} else {
  // While it sends to another, or replies to main.
  const overflow = what === "drop_oldest" ? "drop_oldest" : "block";
  for (let n = 1; n < MOST; n++) {
    const receiver: ActorRef<any> = await system.startChild({
      id: `receiver ${n}`,
      actor,
      mailbox: { capacity: 1000, overflow },
    });
    const holder = await system.startChild<typeof Holder>({ id: `holder ${n}`, actor, handlerTimeoutMs: STANDS_MS });
    const stood = holder
      .with({ timeoutMs: 20_000 })
      .call("sendAndStand", receiver, n)
      .catch(() => undefined);
    rounds += await sendMeanwhile(stood, [receiver]);
    if ((await stood) === false) break;
    held++;
    await receiver.with({ timeoutMs: 20_000 }).call("ping");
    await system.terminateChild(`holder ${n}`);
    await system.terminateChild(`receiver ${n}`);
  }
}
console.log(
  JSON.stringify({ held, rounds, awayMs: delay.max / 1e6, alive: (await bystander.call("ping")) === undefined }),
);
await system.stop();
