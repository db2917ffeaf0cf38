import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { expect, test } from "vitest";
import { packResult, packTask, unpackResult, unpackTask } from "#worker-host/protocol/port/packed-task.js";
import type { TaskValue } from "#worker-host/protocol/values/encoded.js";

const port = {} as never;
const VALUES: Record<string, TaskValue> = {
  "a small object": { content: { format: 3, text: "\u0000\u00ff" }, transferred: [] },
  "an empty text": { content: { format: 1, text: "" }, transferred: [] },
  "a large one": { content: { format: 3, bytes: Uint8Array.of(1, 2) }, transferred: [] },
  "shared memory": { content: { format: 3, bytes: Uint8Array.of(1), shared: [7] }, transferred: [] },
  "what changes hands": { content: { format: 3, text: "a" }, transferred: [port] },
  "a number that changes nothing else": { content: { primitive: 7 }, transferred: [port] },
  "a stream": { content: { format: 3, text: "a" }, transferred: [port], isStream: true },
  ...Object.fromEntries(
    [undefined, null, true, 0, Number.NaN, "", "text"].map((primitive): [string, TaskValue] => [
      `${typeof primitive} ${primitive}`,
      { content: { primitive }, transferred: [] },
    ]),
  ),
};

test.each(Object.entries(VALUES))("%s is the same task and the same result after it was posted", (_, value) => {
  for (const message of [
    { name: "run", task: value, place: 3 },
    { name: undefined, task: value, place: 0 },
  ])
    expect(unpackTask(packTask(message))).toEqual(message);
  expect(unpackResult(packResult(value))).toEqual(value);
});

test("a thread that is to leave, or to load only, is told so", () => {
  for (const message of [
    { name: undefined, task: undefined, place: 2 },
    { name: undefined, task: undefined, place: -1, leaves: true as const },
  ])
    expect(unpackTask(packTask(message))).toEqual(message);
});

test("small tasks and results are posted without an object in an object", () => {
  const { port1, port2 } = new MessageChannel();
  const posted = (value: unknown): unknown => {
    port1.postMessage(value);
    return (receiveMessageOnPort(port2) as { message: unknown }).message;
  };
  const task = VALUES["a small object"];
  expect(posted(packTask({ name: "run", task, place: 3 }))).toEqual(["run", 3, 3, "\u0000\u00ff"]);
  expect(posted(packResult(task))).toEqual([3, "\u0000\u00ff"]);
  expect(posted(packResult({ content: { primitive: 7 }, transferred: [] }))).toBe(7);
  port1.close();
});
