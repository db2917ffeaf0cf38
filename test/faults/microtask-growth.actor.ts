import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = async () => {
  const kept: object[] = [];
  for (let n = 0; ; n++) {
    await null;
    kept.push({ n, at: new Array(20).fill(n) });
  }
};

export default faultActor(fault);
