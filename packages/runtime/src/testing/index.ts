export { type VirtualClock, virtualClock } from "../supervision/virtual-clock.js";
export { startTestSystem, type TestSystemOptions } from "./test-system.js";
