import type { SmallObject } from "../payloads.js";

/** What piscina and tinypool run in their thread. */
export default function handle(message: SmallObject): number {
  return message.id;
}
