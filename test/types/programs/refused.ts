import { dynamicSupervisor, pool, router, startSystem } from "@mini-otp/runtime";
import { defineActor } from "@mini-otp/worker-host";
import type Hasher from "./hasher.js";
import type { Helper } from "./hasher.js";

const system = await startSystem();
const hasher = await system.startChild<typeof Hasher>({ id: "hasher", actor: "hasher.js", args: { rounds: 3 } });

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
  length(): number {
    return Math.hypot(this.x, this.y);
  }
}

// Methods, arguments and replies are the actor's.
await hasher.call("hush", "text"); // refused: "hush"
await hasher.call("hash"); // refused: Expected 2 arguments
await hasher.call("hash", 1); // refused: string
await hasher.call("hash", "text", "more"); // refused: Expected 2 arguments
await hasher.cast("point", { x: 1 }); // refused: 'y'
hasher.tryCast("reset", 1); // refused: Expected 1 arguments
export const count: number = await hasher.call("hash", "text"); // refused: 'number'
hasher.proxy().hush("text"); // refused: 'hush'
hasher.proxy().hash(1); // refused: 'string'
hasher.callSync("later", "text").then; // refused: 'then'

// Only what answers with a stream is read as one, and it is not called.
hasher.stream("line", "text"); // refused: "line"
hasher.stream("hash", "text"); // refused: "words" | RepliesOnce<"ref.call(method)">
await hasher.call("lines", "text"); // refused once: "lines" & AnswersWithStream<"ref.stream(method)">
await hasher.cast("words", "text"); // refused: AnswersWithStream<"ref.stream(method)">
hasher.tryCast("chunks", "text"); // refused: AnswersWithStream<"ref.stream(method)">
hasher.castSync("laterLines"); // refused: AnswersWithStream<"ref.stream(method)">
hasher.callSync("words", "text"); // refused: AnswersWithStream<"ref.stream(method)">
hasher.stream("lines"); // refused: Expected 2 arguments
hasher.stream("lines", 1); // refused: string

// What cannot be cloned is no argument, whatever the handler asks for.
await hasher.call("keep", () => 1); // refused: a function cannot be sent in a message
await hasher.call("keep", { deep: [{ onDone() {} }] }); // refused: a function cannot be sent in a message
await hasher.call("keep", Symbol("mark")); // refused: a symbol cannot be sent in a message
await hasher.call("keep", Point); // refused: a class cannot be sent in a message
await hasher.call("keep", new WeakMap<object, string>()); // refused: NotCloneable
await hasher.call("keep", Promise.resolve(1)); // refused: a promise cannot be sent in a message: forgotten await?
await hasher.call("keep", { to: [new URL("https://example.org")] }); // refused: a URL cannot be sent in a message: send its href
await hasher.call("keep", new Map([["key", () => 1]])); // refused: a function cannot be sent in a message
await hasher.call("point", new Point(1, 2)); // refused: a function cannot be sent in a message
await hasher.cast("keep", new Point(1, 2)); // refused: a function cannot be sent in a message
hasher.tryCast("keep", new Point(1, 2)); // refused: a function cannot be sent in a message
hasher.castSync("keep", new Point(1, 2)); // refused: a function cannot be sent in a message
await hasher.send(new Point(1, 2)); // refused: a function cannot be sent in a message
await hasher.call("onDone", () => {}); // refused: a function cannot be sent in a message
await hasher.call("mark", Symbol("mark")); // refused: a symbol cannot be sent in a message
await hasher.call("weak", new WeakMap()); // refused: NotCloneable
hasher.proxy().account({ balance: 1, withdraw: () => null as never }); // refused: NotCloneable
hasher.proxy().onDone(() => {}); // refused: ProxyMarked

// Only what can change hands is transferred.
hasher.with({ transfer: ["text"] }); // refused: 'string'
hasher.with({ transfer: [new Uint8Array(8)] }); // refused: Uint8Array
hasher.with({ timeout: 100 }); // refused: 'timeout'

// Specs are the actor's as well.
await system.startChild<typeof Hasher>({ id: "a", actor: "hasher.js" }); // refused: 'args'
await system.startChild<typeof Hasher>({ id: "b", actor: "hasher.js", args: { rounds: "3" } }); // refused: 'number'
await system.startChild<typeof Hasher>({ id: "c", actor: "hasher.js", args: { rounds: 3 }, restart: "always" }); // refused: "always"
await startSystem({ strategy: "one_for_some" }); // refused: "one_for_some"
await startSystem({ guard: { onZombie: "ignore" } }); // refused: "ignore"
await startSystem({ dev: { watch: "yes" } }); // refused: boolean
await startSystem({ dev: { whatch: true } }); // refused: whatch
system.on("actor_started", (event) => event.reason); // refused: 'reason'
const numbers = await system.startChild(pool<(n: number) => string>({ id: "d", filename: "numbers.js" }));
numbers.map(["1"]); // refused: 'string'
numbers.map([1], { ordred: false }); // refused: 'ordred'
for await (const text of numbers.map([1])) text.toFixed(); // refused: 'toFixed'

// The type of an actor is that of its definition, and not of what it says.
interface Spoken {
  hello(name: string): string;
}
await system.startChild<Spoken>({ id: "a", actor: "spoken.js", args: { rounds: 3 } }); // refused once: NotAnActor<"startChild<typeof X>(spec)">
await (await system.startChild(dynamicSupervisor({ id: "b" }))).startChild<Spoken>({ actor: "spoken.js" }); // refused once: NotAnActor<"startChild<typeof X>(spec)">
router<Spoken>({ id: "c", actor: "spoken.js", size: 2, route: "round_robin" }); // refused once: NotAnActor<"router<typeof X>(spec)">

// Names of events are those that there are, and the compiler lists them.
system.on("actor_exit", () => {}); // refused once: "actor_exited" |

// A misspelt `handlers` is the error, whatever else the definition has.
export const misspelt = defineActor({
  init: (args: { from: number }) => ({ count: args.from }),
  handler: { read: () => 1 }, // refused once: 'handler' does not exist in type
});
export const handlerless = defineActor({ init: () => 1 }); // refused once: Property 'handlers' is missing

// State is what init returns.
export const counter = defineActor({
  init: () => ({ count: 0 }),
  handlers: {
    add(ctx) {
      ctx.state.total++; // refused: 'total'
      ctx.state = { count: "none" }; // refused: 'number'
    },
  },
});

// What an actor starts has its own options and arguments.
export const starter = defineActor({
  handlers: {
    start(ctx) {
      void ctx.startChild<Helper>({ actor: "helper.js" }); // refused: 'args'
      void ctx.startChild<Helper>({ actor: "helper.js", args: { depth: "1" } }); // refused: 'number'
      void ctx.startChild({ actor: "helper.js", restart: "always" }); // refused: "always"
      void ctx.startChild({ id: "helper" }); // refused: 'actor'
      void ctx.startChild({ actor: "helper.js", arg: { depth: 1 } }); // refused once: 'arg' does not exist in type 'ActorChildSpec<any>'. Did you mean to write 'args'?
      void ctx.startChild<Helper>({ actor: "helper.js", arg: { depth: 1 } }); // refused once: Did you mean to write 'args'?
      void ctx.startChild<Spoken>({ actor: "spoken.js" }); // refused once: NotAnActor<"ctx.startChild<typeof X>(spec)">
    },
  },
});
