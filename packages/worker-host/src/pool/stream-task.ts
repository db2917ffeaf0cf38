import { type ItemSource, OutgoingStream } from "../loop/outgoing-stream.js";
import type { FromStreamTask, ToStreamTask } from "../protocol/port/pool-task.js";
import type { Codec } from "../protocol/values/codec.js";
import { encoded } from "../protocol/values/encoded.js";

/** As much of a MessagePort as a stream's end in the pool uses. */
export interface StreamPort {
  postMessage(message: FromStreamTask): void;
  on(event: "message", listener: (message: ToStreamTask) => void): unknown;
  close(): void;
}

const NOWHERE = { address: 0, uid: 0, correlation: -1 };

const open = new Set<OutgoingStream>();

/** Sends what the open streams have taken from their generators. The thread or process exits, and its exit ends them. */
export function flushStreams(): void {
  for (const stream of open) stream.flushLast();
}

/** Sends what `source` yields over `port`, as its reader grants. Rejects with what it throws. */
export function streamTo(port: StreamPort, codec: Codec, method: string, source: ItemSource): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = new OutgoingStream(NOWHERE, method, source, {
      codec,
      mayPull: true,
      stops: false,
      attend(waiting) {
        if (waiting.isQueued) return;
        waiting.isQueued = true;
        setImmediate(() => {
          waiting.isQueued = false;
          waiting.attend();
        });
      },
      send: (_to, kind, number, payload) =>
        port.postMessage({ kind, number, payload: encoded(payload) } satisfies FromStreamTask),
      begin() {},
      end() {},
      sent() {},
      // The record that ends the stream is sent after this call.
      closed(ended) {
        open.delete(ended);
        setImmediate(resolve);
      },
      threw(failing, error) {
        reject(error);
        failing.fail(error);
      },
      threwLate: (_failing, error) => reject(error),
    });
    open.add(stream);
    port.on("message", ({ items, bytes, cancelled }: ToStreamTask) => {
      if (cancelled === true) void stream.end();
      else stream.granted(items, bytes);
    });
    stream.attend();
    stream.flushLast();
  });
}
