export type { Clock, Timer } from "../supervision/clock.js";
export { type VirtualClock, virtualClock } from "../supervision/virtual-clock.js";
export { type FaultArgs, faults } from "./faults.js";
export { type Answer, type Match, type Probe, type ProbeOptions, probe, type Received } from "./probe.js";
export { type InlineOptions, type InlineRef, runInline } from "./run-inline.js";
export { startTestSystem, type TestSystemOptions } from "./test-system.js";
