import { Absent, type Contender, type Runner } from "../contender.js";
import { type SmallObject, smallObject } from "../payloads.js";
import { RoundTripTimes } from "../round-trip-times.js";

/** A library whose unit of work is a call from main that gets an answer. Each answers with the message's id. */
export interface CallPeer {
  readonly name: string;
  readonly how?: string;
  connect(): Promise<CallConnection>;
}

export interface CallConnection {
  call(message: SmallObject): PromiseLike<unknown>;
  close(): unknown;
}

/** `window` calls under way, a new one for each that is answered. */
export function pipelined(peer: CallPeer, window: number): Contender {
  return contender(peer, (connection, work) => {
    const message = smallObject();
    let unsent = work;
    let unanswered = work;
    return new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const call = (): void => {
        unsent--;
        connection.call(message).then(onAnswer, reject);
      };
      const onAnswer = (): void => {
        if (unsent > 0) call();
        if (--unanswered === 0) resolve({ work, elapsedMs: performance.now() - startedMs });
      };
      while (unsent > 0 && unsent > work - window) call();
    });
  });
}

/** Makes each call when the previous one has been answered. */
export function sequential(peer: CallPeer): Contender {
  return contender(peer, async (connection, work) => {
    const message = smallObject();
    const times = new RoundTripTimes(work);
    do {
      await connection.call(message);
    } while (!times.done());
    return times.round();
  });
}

function contender(
  { name, how, connect }: CallPeer,
  round: (connection: CallConnection, work: number) => ReturnType<Runner["round"]>,
): Contender {
  return {
    name,
    ...(how === undefined ? {} : { how }),
    async start(): Promise<Runner> {
      const connection = await connect().catch(absentWhenMissing);
      return { round: (work) => round(connection, work), stop: () => connection.close() };
    },
  };
}

export function absentWhenMissing(error: unknown): never {
  const missing = /^Cannot find package '(.+?)'/.exec((error as Error).message);
  if (missing === null) throw error;
  throw new Absent(`not installed: ${missing[1]}`);
}
