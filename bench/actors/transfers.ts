import { startSystem } from "@mini-otp/runtime";
import type { TransferPeer } from "../baseline/transfer-peer.js";
import type { Contender, Round, Runner } from "../contender.js";
import type GiveBack from "./give-back.actor.js";
import type Giver from "./giver.actor.js";

const ROUND_TIMEOUT_MS = 60_000;
const module = (name: string): URL => new URL(`./${name}.actor.js`, import.meta.url);

/** Main gives an actor a buffer and gets it back. */
export const transfersFromMain: TransferPeer = {
  name: "mini-otp",
  how: "call with({ transfer }), Comlink.transfer() back",
  async connect() {
    const system = await startSystem();
    const other = await system.startChild<typeof GiveBack>({ id: "other", actor: module("give-back") });
    return {
      give: (buffer) => other.with({ transfer: [buffer] }).call("giveBack", buffer),
      close: () => system.stop(),
    };
  },
};

/** The same between two actors. */
export const actorTransfers: Contender = {
  name: "mini-otp callSync",
  how: "with({ transfer }), Comlink.transfer() back",
  async start(): Promise<Runner> {
    const system = await startSystem();
    const other = await system.startChild<typeof GiveBack>({ id: "other", actor: module("give-back") });
    const started = await system.startChild<typeof Giver>({ id: "giver", actor: module("giver") });
    const giver = started.with({ timeoutMs: ROUND_TIMEOUT_MS });
    return {
      round: (work): Promise<Round> => giver.call("give", other, work),
      stop: () => system.stop(),
    };
  },
};
