import { tracingChannel } from "node:diagnostics_channel";

/**
 * The message of the channels `tracing:mini-otp:call:start`, `end`, `asyncStart`, `asyncEnd` and `error` of
 * `node:diagnostics_channel`, the same object for all events of one call.
 */
export interface PublishedCall {
  /** The path of the actor that is called. */
  readonly id: string;
  readonly method: string;
  readonly kind: "call" | "stream";
  /** The caller's own objects: read them, and keep none. */
  readonly args: readonly unknown[];
  /** The reply, from `asyncStart` on. */
  result?: unknown;
  /** What the call rejects with, from `error` on. */
  error?: unknown;
}

type Settle = (value: unknown) => void;

/** Calls that leave this thread. Look at `hasSubscribers` first: without any, nothing is made. */
export const CALL_CHANNEL: ReturnType<typeof tracingChannel> = tracingChannel("mini-otp:call");

/** Sends a call by `send`, and publishes its events. What `send` returns is returned. */
export function publishCall<T>(
  about: Pick<PublishedCall, "id" | "method" | "kind" | "args">,
  settle: Settle,
  fail: Settle,
  send: (settle: Settle, fail: Settle) => T,
): T {
  const { start, end, asyncStart, asyncEnd, error: failed } = CALL_CHANNEL;
  const message: PublishedCall = { ...about };
  const ending = (tell: () => void): void => {
    try {
      asyncStart.runStores(message, tell);
    } finally {
      asyncEnd.publish(message);
    }
  };
  const replied: Settle = (value) => {
    message.result = value;
    ending(() => settle(value));
  };
  const rejected: Settle = (error) => {
    message.error = error;
    failed.publish(message);
    ending(() => fail(error));
  };
  return start.runStores(message, () => {
    try {
      return send(replied, rejected);
    } finally {
      end.publish(message);
    }
  });
}
