// The declarations name types of Node's, which TypeScript 6 and later leave out by default: options would be `any`.
/// <reference types="node" preserve="true" />
export type { Clock, Timer } from "../supervision/clock.js";
export { type VirtualClock, virtualClock } from "../supervision/virtual-clock.js";
export { type FaultArgs, faults } from "./faults.js";
export { type Answer, type Match, type Probe, type ProbeOptions, probe, type Received } from "./probe.js";
export { type InlineOptions, type InlineRef, runInline } from "./run-inline.js";
export { startTestSystem, type TestSystemOptions } from "./test-system.js";
