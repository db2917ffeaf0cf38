// The types of what scripts/bundle-thread.mjs makes of msgpackr. It is part of this package, because a dependency on it
// installs a native addition that nothing here uses, with an install script.
export { addExtension, Packr } from "msgpackr/pack";
