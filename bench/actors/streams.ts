import { type ActorSystem, startSystem } from "@mini-otp/runtime";
import type { Contender, Round, Runner } from "../contender.js";
import type { PayloadName } from "../payloads.js";
import type Streamer from "./streamer.actor.js";

const ROUND_TIMEOUT_MS = 60_000;

async function streamer(system: ActorSystem, id: string) {
  const actor = new URL("./streamer.actor.js", import.meta.url);
  return (await system.startChild<typeof Streamer>({ id, actor })).with({ timeoutMs: ROUND_TIMEOUT_MS });
}

/** Main reads an actor's stream. */
export const streamToMain = (payload: PayloadName): Contender => ({
  name: "mini-otp",
  how: "ref.stream() of an async generator",
  async start(): Promise<Runner> {
    const system = await startSystem();
    const producer = await streamer(system, "producer");
    return {
      async round(work): Promise<Round> {
        const startedMs = performance.now();
        let read = 0;
        for await (const _ of producer.stream("items", payload, work)) read++;
        return { work: read, elapsedMs: performance.now() - startedMs };
      },
      stop: () => system.stop(),
    };
  },
});

/** An actor reads another's stream. */
export const streamToActor = (payload: PayloadName): Contender => ({
  name: "mini-otp",
  how: "ref.stream() of an async generator",
  async start(): Promise<Runner> {
    const system = await startSystem();
    const producer = await streamer(system, "producer");
    const reader = await streamer(system, "reader");
    return {
      round: (work) => reader.call("read", producer, payload, work) as Promise<Round>,
      stop: () => system.stop(),
    };
  },
});
