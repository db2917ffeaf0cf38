import type { EncodedText, Primitive, TaskValue } from "../values/encoded.js";
import type { TaskMessage } from "./pool-task.js";

/*
 * Small tasks and results in as few objects as can be: a port takes 3 µs to clone a list of four and back, and 7 µs for
 * the same in an object of objects (Node 20).
 */

/** Name, place, format and text. */
type PackedTask = readonly [name: string | undefined, place: number, format: number, text: string];
type PackedText = readonly [format: number, text: string];

/** A task's message as it is posted to a thread. */
export type PostedTask = TaskMessage | PackedTask;
/** A task's result as its thread posts it. */
export type PostedResult = TaskValue | PackedText | Primitive["primitive"];

const NOTHING: readonly never[] = [];

/** Of these the reader makes its own, so what stands beside the content is not sent. */
function isBare({ transferred, isStream }: TaskValue): boolean {
  return transferred.length === 0 && isStream !== true;
}

export function packTask(message: TaskMessage): PostedTask {
  const { name, place, task } = message;
  if (task === undefined || !isBare(task) || !("text" in task.content)) return message;
  const { format, text } = task.content;
  return [name, place, format, text];
}

export function unpackTask(posted: PostedTask): TaskMessage {
  if (!isList(posted)) return posted;
  const [name, place, format, text] = posted;
  return { name, place, task: withText({ format, text }) };
}

export function packResult(value: TaskValue): PostedResult {
  if (!isBare(value)) return value;
  const { content } = value;
  if ("primitive" in content) return content.primitive;
  return "text" in content ? [content.format, content.text] : value;
}

export function unpackResult(posted: PostedResult): TaskValue {
  if (typeof posted !== "object" || posted === null) return { content: { primitive: posted }, transferred: NOTHING };
  if (!isList(posted)) return posted;
  const [format, text] = posted;
  return withText({ format, text });
}

function withText(content: EncodedText): TaskValue {
  return { content, transferred: NOTHING };
}

/** `Array.isArray` does not narrow a readonly list. */
function isList<L extends readonly unknown[]>(value: object | L): value is L {
  return Array.isArray(value);
}
