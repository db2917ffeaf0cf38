import type { Connection, Sender } from "./actor-ref.js";

/** For a codec before the thread is an actor, when references have nothing to send through yet. */
export const noSender = { connect: (): Connection => ({ id: "" }) } as unknown as Sender;
