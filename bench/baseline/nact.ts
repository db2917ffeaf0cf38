import type { Ref } from "nact";
import type { Contender, Runner } from "../contender.js";
import { type SmallObject, smallObject } from "../payloads.js";
import { absentWhenMissing, type CallPeer } from "./call-peer.js";

const HOW = "same thread, for reference";
const QUERY_TIMEOUT_MS = 60_000;
/** As many messages as one of our mailboxes holds. */
const BATCH = 1024;

interface Query {
  readonly message: SmallObject;
  readonly sender: Ref<number>;
}

export const nact: CallPeer = {
  name: "nact",
  how: `query, ${HOW}`,
  async connect() {
    const { default: library } = await import("nact");
    const system = library.start();
    const responder = library.spawn(system, (state: object = {}, { message, sender }: Query) => {
      library.dispatch(sender, message.id);
      return state;
    });
    return {
      call: (message) => library.query(responder, (sender): Query => ({ message, sender }), QUERY_TIMEOUT_MS),
      close: () => library.stop(system),
    };
  },
};

/** Dispatches in batches: nothing bounds nact's mailboxes, and a sender that never rests keeps the receiver out. */
export const nactOneWay: Contender = {
  name: "nact",
  how: `dispatch, ${HOW}`,
  async start(): Promise<Runner> {
    const { default: library } = await import("nact").catch(absentWhenMissing);
    const system = library.start();
    let missing = 0;
    let onEmpty = (): void => {};
    const receiver = library.spawn(system, (state: object = {}, _message: SmallObject) => {
      if (--missing === 0) onEmpty();
      return state;
    });
    const message = smallObject();
    return {
      async round(work) {
        const startedMs = performance.now();
        for (let sent = 0; sent < work; ) {
          const batch = Math.min(BATCH, work - sent);
          missing = batch;
          const empty = new Promise<void>((resolve) => {
            onEmpty = resolve;
          });
          for (let i = 0; i < batch; i++) library.dispatch(receiver, message);
          await empty;
          sent += batch;
        }
        return { work, elapsedMs: performance.now() - startedMs };
      },
      stop: () => library.stop(system),
    };
  },
};
