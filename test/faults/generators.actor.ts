import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const kept: Iterator<number>[] = [];
  function* count(): Generator<number> {
    for (let n = 0; ; n++) yield n;
  }
  for (;;) {
    const next = count();
    next.next();
    kept.push(next);
  }
};

export default faultActor(fault);
