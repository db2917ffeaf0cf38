// Internal: for @mini-otp/cluster of the same version.
export { defaultOf, type LoadedModule, loadFirst } from "./load-module.js";
