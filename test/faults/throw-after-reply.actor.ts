import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = (ctx) => {
  ctx?.deferReply().reply("replied");
  throw new Error("after the reply");
};

export default faultActor(fault);
