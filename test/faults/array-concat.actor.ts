import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  let kept: object[] = [{}];
  for (;;) kept = kept.concat(kept, [{ at: kept.length }]);
};

export default faultActor(fault);
