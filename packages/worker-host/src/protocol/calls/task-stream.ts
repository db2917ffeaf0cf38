import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { KIND_FAILURE, KIND_ITEMS } from "../memory/record-descriptor.js";
import type { FromStreamTask, ToStreamTask } from "../port/pool-task.js";
import type { RunOptions } from "../refs/actor-ref.js";
import { taskAborted } from "../refs/refusal.js";
import type { StreamReader } from "../refs/stream-reader.js";
import { whenAborted } from "../refs/when-aborted.js";
import type { Codec } from "../values/codec.js";
import { payloadOf } from "../values/encoded.js";

/** How long a generator that is read no further may take to end, before its thread is ended. */
const END_MS = 1000;

/** Runs a task in a pool. The last object of the transfer list is the port of its stream. */
export type RunStreamTask = (options: RunOptions) => Promise<unknown>;

/**
 * Runs the task that yields what `reader` reads. Its items come over a port of their own, straight from the pool's
 * thread, which the task holds as long as its stream is open.
 */
export function openTaskStream(
  codec: Codec,
  id: string,
  run: RunStreamTask,
  { signal, transferList = [], ...rest }: RunOptions,
  reader: StreamReader,
): void {
  if (signal?.aborted === true) throw taskAborted(id, signal);
  const { port1: port, port2 } = new MessageChannel();
  const ending = new AbortController();
  let begun = false;
  let timer: NodeJS.Timeout | undefined;
  const post = (message: ToStreamTask): void => port.postMessage(message);
  const take = ({ kind, number, payload }: FromStreamTask): void => {
    begun = true;
    try {
      if (kind === KIND_ITEMS) reader.received(number, codec.decodeArgs(payloadOf(payload)), payload.bytes.length);
      else if (kind === KIND_FAILURE)
        reader.finished(number, { failed: true, error: codec.decodeValue(payloadOf(payload)) });
      else reader.finished(number, { failed: false });
    } catch (error) {
      reader.cancel({ failed: true, error });
    }
  };
  /** Takes what the thread had posted before its task settled. */
  const takeRest = (): void => {
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
      take(next.message);
  };
  const release =
    signal === undefined
      ? undefined
      : whenAborted(signal, () => reader.cancel({ failed: true, error: taskAborted(id, signal) }));
  port.on("message", take);
  reader.linked({
    grant: (items, bytes) => post({ items, bytes }),
    closed(_outcome, isCancelled) {
      release?.();
      if (!isCancelled) return;
      if (!begun) ending.abort();
      else {
        post({ items: 0, bytes: 0, cancelled: true });
        timer = setTimeout(() => ending.abort(), END_MS);
      }
    },
  });
  const settled = (): void => {
    clearTimeout(timer);
    takeRest();
    port.close();
  };
  run({ ...rest, signal: ending.signal, transferList: [...transferList, port2] }).then(settled, (error: unknown) => {
    settled();
    reader.failed(error);
  });
}
