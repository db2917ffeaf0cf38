import { type ActorRef, type ActorSpec, startSystem } from "@mini-otp/runtime";
import type Hasher from "./hasher.js";
import type { Batch, Helper } from "./hasher.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(_equal: Equal<A, B>): void => {};

const system = await startSystem();
const hasher = await system.startChild<typeof Hasher>({ id: "hasher", actor: "hasher.js", args: { rounds: 3 } });
is<typeof hasher, ActorRef<typeof Hasher>>(true);

const digest = await hasher.call("hash", "text");
is<typeof digest, string>(true);

const later = hasher.call("later", "text", 2);
is<typeof later, Promise<{ text: string; times: number }>>(true);

const deferred = await hasher.call("deferred", "key");
is<typeof deferred, bigint>(true);

const nothing = await hasher.call("reset");
is<typeof nothing, void>(true);

const lengths = await hasher.call("batch", { texts: ["a"] }, { texts: [], into: new Map() });
is<typeof lengths, number[]>(true);

const sent = hasher.tryCast("hash", "text");
is<typeof sent, "ok" | "full" | "closed">(true);

const blocking = hasher.callSync("later", "text");
is<typeof blocking, { text: string; times: number }>(true);

// A stream's items are what its handler yields.
for await (const item of hasher.stream("lines", "text")) is<typeof item, { line: string }>(true);
for await (const item of hasher.stream("words", "text")) is<typeof item, string>(true);
for await (const item of hasher.stream("chunks", "text")) is<typeof item, Uint8Array>(true);
for await (const item of hasher.with({ timeoutMs: 1 }).stream("laterLines")) is<typeof item, Date>(true);

// A child that an actor starts has its type.
const helper = await hasher.call("helper");
is<typeof helper, ActorRef<Helper>>(true);
const helped = await helper.call("help", "text");
is<typeof helped, number>(true);

// Data of every kind, and references, are arguments for who asks for nothing in particular.
await hasher.cast("keep", { at: new Date(), set: new Set([1n]), nested: [{ error: new Error("x") }], of: hasher });
await hasher.cast("keep", undefined);
await hasher.cast("point", { x: 1, y: 2 });
await hasher.send({ tick: 1 });

// What is transferred is named beside the call.
const buffer = new ArrayBuffer(8);
const bytes = await hasher.with({ transfer: [buffer], timeoutMs: 100 }).call("bytes", buffer, new Uint8Array(2));
is<typeof bytes.buffer, ArrayBuffer>(true);

// The same by the remote.
const remote = hasher.proxy();
const remotely = await remote.hash("text");
is<typeof remotely, string>(true);
const remotelyLater = await remote.later("text");
is<typeof remotelyLater, { text: string; times: number }>(true);
const remotelyDeferred = await remote.deferred("key");
is<typeof remotelyDeferred, bigint>(true);

// A spec carries its actor's type along.
const spec: ActorSpec<typeof Hasher> = { id: "second", actor: "hasher.js", args: { rounds: 1 } };
const second = await system.startChild(spec);
is<typeof second, ActorRef<typeof Hasher>>(true);

// A reference without a type takes any method, and any data.
const untyped: ActorRef = hasher;
for await (const item of untyped.stream("whatever", 1)) is<typeof item, any>(true);
const anything = await untyped.call("whatever", 1, { two: 2 });
is<typeof anything, any>(true);

// Arguments of an interface's type.
export const forwardBatch = (batch: Batch): Promise<number[]> => hasher.call("batch", batch);
