import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: object[] = [];
  const step = () => {
    for (let n = 0; n < 1000; n++) kept.push({ n });
    setImmediate(step);
  };
  step();
};

export default faultActor(fault);
