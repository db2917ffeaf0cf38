import { type ActorRef, type ActorSystem, startSystem } from "@mini-otp/runtime";
import type { Contender, Runner } from "../contender.js";
import type { PayloadName } from "../payloads.js";
import type Receiver from "./receiver.actor.js";
import type Sender from "./sender.actor.js";

const ROUND_TIMEOUT_MS = 60_000;

/**
 * Every sender casts to every receiver; the clock stops when the last receiver has handled its last message. `started`
 * is given the system before the first round.
 */
export function actorThroughput(
  senders: number,
  receivers: number,
  payload: PayloadName,
  started: (system: ActorSystem) => void = () => {},
): Contender {
  return {
    name: "mini-otp",
    how: "castSync, default mailbox",
    async start(): Promise<Runner> {
      const system = await startSystem();
      started(system);
      const to: ActorRef<typeof Receiver>[] = [];
      for (let i = 0; i < receivers; i++) {
        const actor = new URL("./receiver.actor.js", import.meta.url);
        const receiver = await system.startChild<typeof Receiver>({ id: `receiver-${i}`, actor });
        to.push(receiver.with({ timeoutMs: ROUND_TIMEOUT_MS }));
      }
      const from: ActorRef<typeof Sender>[] = [];
      for (let i = 0; i < senders; i++) {
        const actor = new URL("./sender.actor.js", import.meta.url);
        const sender = await system.startChild<typeof Sender>({ id: `sender-${i}`, actor });
        from.push(sender.with({ timeoutMs: ROUND_TIMEOUT_MS }));
      }
      return {
        async round(work) {
          const each = Math.ceil(work / (senders * receivers));
          const startedMs = performance.now();
          const handled = to.map((receiver) => receiver.call("expect", each * senders));
          const sent = from.map((sender) => sender.call("send", to, payload, each));
          let elapsedMs = 0;
          const ended = Promise.all(handled).then(() => {
            elapsedMs = performance.now() - startedMs;
          });
          await Promise.all([ended, ...sent]);
          return { work: each * senders * receivers, elapsedMs };
        },
        stop: () => system.stop(),
      };
    },
  };
}
