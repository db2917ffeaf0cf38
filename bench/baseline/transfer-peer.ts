import { Absent, type Contender, type Runner } from "../contender.js";
import { gone, transferredBuffer, whole } from "../payloads.js";
import { RoundTripTimes } from "../round-trip-times.js";
import { absentWhenMissing } from "./call-peer.js";

/** A library that hands a buffer to its thread and gets it back, without a copy either way. */
export interface TransferPeer {
  readonly name: string;
  readonly how?: string;
  connect(): Promise<TransferConnection>;
}

export interface TransferConnection {
  give(buffer: ArrayBuffer): PromiseLike<unknown>;
  close(): unknown;
}

/** Gives the buffer away again when it is back. */
export function handedOver({ name, how, connect }: TransferPeer): Contender {
  return {
    name,
    ...(how === undefined ? {} : { how }),
    async start(): Promise<Runner> {
      const connection = await connect().catch(absentWhenMissing);
      return {
        async round(work) {
          let buffer = transferredBuffer();
          const times = new RoundTripTimes(work);
          do {
            const given = buffer;
            buffer = whole(await connection.give(given));
            gone(given);
          } while (!times.done());
          return times.round();
        },
        stop: () => connection.close(),
      };
    },
  };
}

/** Only its tasks' arguments can be transferred: the answer would be a copy. */
export const poolifierTransfer: TransferPeer = {
  name: "poolifier",
  connect: () => Promise.reject(new Absent("what a task returns cannot be transferred")),
};
