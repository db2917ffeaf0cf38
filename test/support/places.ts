import type { ActorRef } from "@mini-otp/runtime";
import { type InlineRef, runInline, startTestSystem } from "@mini-otp/runtime/testing";
import type { ActorDefinition } from "@mini-otp/worker-host";
import { onTestFinished } from "vitest";
import { fixture } from "./system.js";

/** Where a suite's actors run. */
export interface Place {
  /** `definition` is the default export of the fixture `name`. */
  start<A extends ActorDefinition<any, any, any>>(definition: A, name: string, args: unknown): Promise<ActorRef<A>>;
  /** Stops all that were started. */
  stop(): Promise<unknown>;
}

/** The two places that an actor can be in. */
export const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  inline: async () => {
    const started: InlineRef[] = [];
    return {
      async start(definition, name, args) {
        const ref: InlineRef<any> = await runInline(definition, args as never, { id: `${name}-${started.length}` });
        started.push(ref);
        return ref;
      },
      stop: () => Promise.all(started.map((ref) => ref.stop())),
    };
  },
  threaded: async () => {
    const system = await startTestSystem();
    onTestFinished(async () => void (await system.stop()));
    let started = 0;
    return {
      start: (_definition, name, args) =>
        system.startChild<any>({ id: `${name}-${started++}`, actor: fixture(name), args }),
      stop: () => system.stop(),
    };
  },
};
