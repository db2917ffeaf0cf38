import { flag, group } from "@mini-otp/worker-host/protocol/options";

/** For work on a program. Not for production. */
export interface DevOptions {
  /**
   * Whether a saved change of an actor's module, or of a file of the project that it imports, is put into the living
   * actors at once, as `system.upgrade` does: their state stays. Default `false`.
   */
  watch?: boolean | undefined;
}

/** The fields of the option `dev` of `startSystem`. */
export const DEV_OPTIONS = group({ watch: flag });
