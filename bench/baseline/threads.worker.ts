import { expose, Transfer } from "threads/worker";
import type { SmallObject } from "../payloads.js";

expose({ handle: (message: SmallObject) => message.id, giveBack: (buffer: ArrayBuffer) => Transfer(buffer) });
