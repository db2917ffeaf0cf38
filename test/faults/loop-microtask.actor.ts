import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const again = (): void => queueMicrotask(again);
  again();
};

export default faultActor(fault);
