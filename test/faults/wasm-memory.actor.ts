import { type Fault, faultActor } from "./fault-actor.js";

export const fault: Fault = () => {
  const { WebAssembly } = globalThis as any;
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536 });
  for (;;) {
    memory.grow(16);
    new Uint8Array(memory.buffer, memory.buffer.byteLength - (1 << 20)).fill(1);
  }
};

export default faultActor(fault);
