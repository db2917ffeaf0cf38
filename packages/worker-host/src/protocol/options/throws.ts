import { oneOf } from "./fields.js";

/** What a handler does that throws: it ends its actor, or fails its call only. */
export type Throws = "crash" | "reply";

export const aThrows = oneOf("crash" satisfies Throws, "reply" satisfies Throws);
