// Internal: for @mini-otp/runtime of the same version.
export { ChildProgram, type ChildProgramListener } from "./child-program.js";
export { killGroup } from "./kill-group.js";
