import {
  type ActorRef,
  type ActorUrl,
  dynamicSupervisor,
  pool,
  router,
  type SupervisedPoolRef,
  startSystem,
} from "@mini-otp/runtime";
import { defineActor } from "@mini-otp/worker-host";
import type Hasher from "./hasher.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

const hasherUrl = new URL("./hasher.js", import.meta.url) as ActorUrl<typeof Hasher>;

// What runs in a process has the reference of what runs in a thread.
const system = await startSystem({
  children: [
    { id: "hasher", actor: hasherUrl, args: { rounds: 3 }, isolation: "process" },
    { id: "thread", actor: hasherUrl, args: { rounds: 3 }, isolation: "thread" },
    router({
      id: "hashers",
      actor: hasherUrl,
      args: { rounds: 1 },
      size: 2,
      route: "round_robin",
      isolation: "process",
    }),
    pool<(n: number) => string>({ id: "numbers", filename: "numbers.js", isolation: "process" }),
    dynamicSupervisor({ id: "jobs", template: { actor: hasherUrl, isolation: "process" } }),
  ],
});
const hasher = system.child("hasher");
is<typeof hasher, ActorRef<typeof Hasher>>(true);
const text: string = await hasher.call("hash", "text");
for await (const { line } of hasher.stream("lines", text)) is<typeof line, string>(true);
const numbers = system.child("numbers");
is<typeof numbers, SupervisedPoolRef<(n: number) => string>>(true);
const job = await system.child("jobs").startChild({ args: { rounds: 1 }, isolation: "process" });
is<typeof job, ActorRef<typeof Hasher>>(true);
const { process } = system.stats(hasher);
is<typeof process, { readonly pid: number; readonly rssMb: number } | undefined>(true);
const residentMb: number = system.stats(hasher).process.rssMb; // refused: possibly 'undefined'
void residentMb;
export const parent = defineActor({
  handlers: {
    start: (ctx) => ctx.startChild<typeof Hasher>({ actor: hasherUrl, args: { rounds: 1 }, isolation: "process" }),
    fork: (ctx) => ctx.startChild<typeof Hasher>({ actor: hasherUrl, args: { rounds: 1 }, isolation: "fork" }), // refused: "fork"
  },
});

await system.startChild({ id: "a", actor: "a.js", isolation: "fork" }); // refused: "fork"
await system.startChild({ id: "a", actor: "a.js", isolation: true }); // refused: 'true'
await system.startChild({ id: "a", actor: "a.js", isolated: "process" }); // refused: NoSuchOption<"isolated"
router({ id: "a", actor: "a.js", size: 1, route: "round_robin", isolation: "fork" }); // refused: "fork"
dynamicSupervisor({ id: "a", template: { isolation: "fork" } }); // refused: "fork"
pool({ id: "a", filename: "a.js", isolation: "worker" }); // refused: "worker"
