import { ThreadWorker } from "poolifier";
import type { SmallObject } from "../payloads.js";

export default new ThreadWorker<SmallObject, number>((message) => message?.id ?? 0);
