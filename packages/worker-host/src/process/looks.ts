import { Session } from "node:inspector";
import { heapSnapshot, interruptsRead } from "../module/heap-snapshot.js";
import { LOOK_HOOK } from "../protocol/port/process.js";
import type { Codec } from "../protocol/values/codec.js";
import { encoded, encodeForeign } from "../protocol/values/encoded.js";
import type { ThreadChannel } from "./thread-channel.js";

export type LookStep = "heap_snapshot" | "begin_profile" | "end_profile";

/**
 * `isInside`: the inspector has interrupted what runs. Else it is between two turns, and there may be no inspector. False:
 * ask again.
 */
export type LookInto = (step: LookStep, request: number, isInside: boolean) => boolean;

/**
 * Lets the watcher look into this thread, the main one of an actor's process, in the middle of a handler too. The answers go
 * by the channel, which keeps a message whole that is being written.
 */
export function allowLooks(channel: ThreadChannel, codec: Codec): void {
  const profiles = new Map<number, Session>();
  const steps: Record<LookStep, (request: number) => void> = {
    heap_snapshot(request) {
      let failure: string | undefined;
      try {
        for (const chunk of heapSnapshot()) channel.post({ type: "snapshot", request, chunk });
      } catch (error) {
        failure = String(error);
      }
      channel.post({ type: "snapshot", request, ...(failure === undefined ? {} : { failure }) });
    },
    begin_profile(request) {
      const session = new Session();
      session.connect();
      profiles.set(request, session);
      session.post("Profiler.enable");
      session.post("Profiler.start");
    },
    end_profile(request) {
      const session = profiles.get(request);
      profiles.delete(request);
      session?.post("Profiler.stop", (error, result) => {
        if (error !== null) throw error;
        channel.post({ type: "looked", request, failed: false, value: encoded(codec.encodeValue(result.profile)) });
      });
      session?.disconnect();
    },
  };
  const value: LookInto = (step, request, isInside) => {
    if (isInside && interruptsRead(value)) return false;
    try {
      if (!isInside && step === "begin_profile") throw new Error("cpuProfile: no inspector reaches this process");
      steps[step](request);
    } catch (error) {
      channel.post({ type: "looked", request, failed: true, value: encodeForeign(codec, error) });
    }
    return true;
  };
  Object.defineProperty(globalThis, Symbol.for(LOOK_HOOK), { value: Object.freeze(value) });
}
