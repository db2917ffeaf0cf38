import {
  type ActorUrl,
  dynamicSupervisor,
  isActorError,
  pool,
  router,
  startSystem,
  supervisor,
} from "@mini-otp/runtime";
import { defineActor } from "@mini-otp/worker-host";
import type Hasher from "./hasher.js";

const hasherUrl = new URL("./hasher.js", import.meta.url) as ActorUrl<typeof Hasher>;
const system = await startSystem({ children: [{ id: "hasher", actor: hasherUrl, args: { rounds: 3 } }] });

// A misspelt option is one error, which names it.
await system.startChild({ id: "a", actor: "a.js", heapCapMB: 64 }); // refused: NoSuchOption<"heapCapMB", "did you mean heapCapMb?">
await system.startChild({ id: "a", actor: "a.js", retsart: "permanent" }); // refused: NoSuchOption<"retsart", "did you mean restart?">
await system.startChild({ id: "a", actor: "a.js", argss: {} }); // refused: "this option does not exist"
await system.startChild({ id: "a", actor: "a.js", heapCap: 64 }); // refused: NoSuchOption<"heapCap", "did you mean heapCapMb?" | "did you mean offHeapCapMb?">
await system.startChild({ id: "a", actor: "a.js", colour: "red" }); // refused: NoSuchOption<"colour", "actor" | "args" | "backoff"
await system.startChild({ id: "a", actor: "a.js", mailbox: { capasity: 1 } }); // refused: 'capasity'
await system.startChild<typeof Hasher>({ id: "a", actor: "a.js", args: { rounds: 1 }, heapCapMB: 64 }); // refused: Did you mean to write 'heapCapMb'?
await system.startChild({ id: "a", actor: "a.js", restart: "always" }); // refused: "always"
await system.startChild({ id: "a", actor: "a.js", throws: "exit" }); // refused: "exit"
await system.startChild({ id: "a", actor: "a.js", env: "all" }); // refused: "all"
await system.startChild(pool({ id: "a", filename: "a.js", throws: "reply" })); // refused: 'throws'
await system.startChild(dynamicSupervisor({ id: "a", template: { throws: "exit" } })); // refused: "exit"
await system.startChild(router({ id: "a", actor: "a.js", size: 1, route: "round_robin", sise: 2 })); // refused: 'sise'
await system.startChild(pool({ id: "a", filename: "a.js", threads: 2 })); // refused: 'threads'
await system.startChild(pool({ id: "a", filename: "a.js", recycle: { afterTask: 2 } })); // refused: 'afterTask'
await system.startChild(pool({ id: "a", filename: "a.js", isolation: "fork" })); // refused: "fork"
await system.startChild(pool({ id: "a", filename: "a.js", isolation: "process" }));
await system.startChild(supervisor({ id: "a", children: [{ id: "b", actor: "b.js", shutdwn: 1 }] })); // refused: NoSuchOption<"shutdwn", "did you mean shutdown?">
await system.startChild(supervisor({ id: "a", stratgy: "one_for_all" })); // refused: 'stratgy'
await system.startChild(dynamicSupervisor({ id: "a", template: { heapCap: 1 } })); // refused: 'heapCap'
dynamicSupervisor({ id: "a", threads: { counts: 2 } }); // refused once: Did you mean to write 'count'?
dynamicSupervisor({ id: "a", threads: { count: 2, heapCap: 8 } }); // refused once: "did you mean heapCapMb?"
dynamicSupervisor({ id: "a", thread: { count: 2 } }); // refused once: Did you mean to write 'threads'?
dynamicSupervisor({ id: "a", perThread: [] }); // refused once: OnlyWith<"threads">
await startSystem({ children: [{ id: "a", actor: "a.js", heapCapMB: 64 }] }); // refused: NoSuchOption<"heapCapMB", "did you mean heapCapMb?">
await startSystem({ children: [{ id: "a", actor: "a.js", mailbox: { overflow: "wait" } }] }); // refused: "wait"
await startSystem({ childen: [] }); // refused: 'childen'

// An actor that asks for arguments is not started without, and not with others.
await system.startChild({ id: "a", actor: hasherUrl }); // refused: 'args'
await system.startChild({ id: "a", actor: hasherUrl, args: { rounds: "3" } }); // refused: NotTheArgs<{ rounds: number; }>
await startSystem({ children: [{ id: "a", actor: hasherUrl }] }); // refused: 'args'
await startSystem({ children: [{ id: "a", actor: hasherUrl, args: { rounds: "3" } }] }); // refused: NotTheArgs<{ rounds: number; }>
await system.startChild({ id: "a", actor: hasherUrl, args: {} }); // refused: "init takes other args"
const dynamic = await system.startChild(dynamicSupervisor({ id: "dynamic" }));
await dynamic.startChild<typeof Hasher>({}); // refused: 'args'
router({ id: "a", actor: hasherUrl, size: 1, route: "round_robin" }); // refused: 'args'
router<typeof Hasher>({ id: "a", actor: "a.js", size: 1, route: "round_robin" }); // refused: 'args'
router<typeof Hasher>({ id: "a", actor: "a.js", args: { rounds: "3" }, size: 1, route: "round_robin" }); // refused: 'number'
await dynamic.startChild<typeof Hasher>({ args: { rounds: "3" } }); // refused: 'number'
await dynamic.startChild({ heapCapMB: 1 }); // refused: 'heapCapMB'
await startSystem({
  children: [
    dynamicSupervisor({ id: "a", template: { actor: hasherUrl, heapCapMB: 1 } }), // refused once: NoSuchOption<"heapCapMB", "did you mean heapCapMb?">
    supervisor({ id: "b", children: [{ id: "c", actor: "c.js", heapCapMB: 1 }] }), // refused once: NoSuchOption<"heapCapMB", "did you mean heapCapMb?">
  ],
});
const hashers = await system.startChild(dynamicSupervisor({ id: "hashers", template: { actor: hasherUrl } }));
await hashers.startChild({}); // refused: 'args'

// Light actors neither.
const sharing = await system.startChild(dynamicSupervisor({ id: "l", threads: {}, template: { actor: hasherUrl } }));
await sharing.startChild({ id: "a", args: { rounds: "3" } }); // refused: NotTheArgs<{ rounds: number; }>
await sharing.startChild({ id: "a" }); // refused: 'args'
await sharing.startChild(); // refused: arguments
await sharing.startChild<typeof Hasher>({ id: "a" }); // refused: 'args'
await sharing.startChild<typeof Hasher>({ id: "a", args: { rounds: "3" } }); // refused: 'number'
await sharing.startChild({ id: "a", args: { rounds: 1 }, restrat: "permanent" }); // refused: NoSuchOption<"restrat", "did you mean restart?">
await sharing.startChild({ id: "a", args: { rounds: 1 }, isolation: "process" }); // refused: NoSuchOption<"isolation"
await sharing.startChildren([{ args: { rounds: 1 } }, { args: { rounds: "3" } }]); // refused: NotTheArgs<{ rounds: number; }>
await sharing.startChildren([{ id: "a" }]); // refused: 'args'
await sharing.startChildren([1, 2].map((n) => ({ id: `m${n}` }))); // refused: 'args'
await sharing.startChildren([{ id: "a", args: { rounds: 1 }, heapCap: 1 }]); // refused: NoSuchOption<"heapCap"
dynamicSupervisor({ id: "a", threads: {}, template: { actor: hasherUrl, isolation: "process" } }); // refused once: NotWith<"threads">
dynamicSupervisor({ id: "a", threads: {}, template: { actor: hasherUrl, heapCapMb: 64 } }); // refused once: NotWith<"threads">
dynamicSupervisor({ id: "a", threads: {}, template: { actor: hasherUrl, backoff: { minMs: 1 } } }); // refused: NotWith<"threads">

// What is looked up has its actor's type.
system.child("hashr"); // refused: "hasher" | StartedLater<"child<typeof X>(id)">
system.child("started later"); // refused: "hasher" | StartedLater<"child<typeof X>(id)">
await system.restartChild("hashr"); // refused: "hasher" | StartedLater<"child<typeof X>(id)">
(await startSystem({ children: [supervisor({ id: "in", children: [{ id: "a", actor: "a.js" }] })] }))
  .child("in")
  .child("b"); // refused: "a" | StartedLater
await system.child("hasher").call("hush"); // refused: "hush"
await system.child<typeof Hasher>("hasher").call("hash", "text"); // refused: possibly 'undefined'
await system.whereis<typeof Hasher>("hasher")?.call("hush"); // refused: "hush"
system.child("hasher").stats().mailbox.lenght; // refused: 'lenght'

// Facts are those of the code.
export const read = (error: unknown) => {
  if (isActorError(error, "ERR_CALL_TIMEOUT")) error.reason.kind; // refused: Property 'reason' does not exist on type 'ErrorWithCode<"ERR_CALL_TIMEOUT">'
  if (isActorError(error, "ERR_CALL_TIMEOUT")) error.timeoutMS; // refused: Did you mean 'timeoutMs'?
  if (isActorError(error) && error.code === "ERR_NOPROC") error.reason.kind; // refused: 'undefined'
  if (isActorError(error)) error.resaon; // refused: 'resaon'
  if (isActorError(error, "ERR_CALL_EXIT")) error.reason.kid; // refused: 'kid'
  if (isActorError(error, "ERR_CALL_EXITS")) return; // refused once: '"ERR_CALL_EXITS"' is not assignable to parameter of type '"ERR_ACTOR_MODULE" |
};

// An actor sends itself what it has a handler for.
export const ticking = defineActor({
  init: (_args: undefined, ctx) => {
    ctx.sendAfter(1, "tock"); // refused: "tock"
    return { ticks: 0 };
  },
  handlers: {
    tick(ctx) {
      ctx.sendAfter(1, "typo"); // refused: "typo"
      ctx.sendInterval(1, "typo"); // refused: "typo"
      ctx.continueWith("typo"); // refused: "typo"
      ctx.sendAfter(1, "tick");
    },
    read: (ctx) => ctx.state.ticks,
  },
});
