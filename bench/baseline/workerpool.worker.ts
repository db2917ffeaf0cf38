import workerpool from "workerpool";
import type { SmallObject } from "../payloads.js";

workerpool.worker({
  handle: (message: SmallObject) => message.id,
  giveBack: (buffer: ArrayBuffer) => new workerpool.Transfer(buffer, [buffer]),
});
