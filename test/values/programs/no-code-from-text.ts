import { deepStrictEqual, throws } from "node:assert";
import type { Sender } from "@mini-otp/worker-host/protocol/refs";
import { Codec, keepPayload } from "@mini-otp/worker-host/protocol/values";

throws(() => new Function("return 1"), EvalError);
const codec = new Codec({} as Sender);
let arrived = 0;
for (let id = 0; id < 1000; id++) {
  const message = { id, name: "hello", tags: [{ tag: id }] };
  deepStrictEqual(codec.decodeArgs(keepPayload(codec.encodeArgs([message]))), [message]);
  arrived++;
}
console.log(`${arrived} arrived`);
