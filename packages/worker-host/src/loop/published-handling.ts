import { tracingChannel } from "node:diagnostics_channel";
import type { MessageKind } from "../protocol/port/messages.js";
import { isThenable } from "./thenable.js";

/**
 * The message of the channels `tracing:mini-otp:handle:start`, `end`, `asyncStart`, `asyncEnd` and `error` of
 * `node:diagnostics_channel` in an actor's thread, the same object for all events of one handler.
 */
export interface PublishedHandling {
  /** The path of the actor. */
  readonly id: string;
  readonly incarnation: number;
  readonly method: string;
  readonly kind: MessageKind;
  /** The handler's own objects: read them, and keep none. */
  readonly args: readonly unknown[];
  /** What the handler has returned: from `end` on, or from `asyncStart` on when it was a promise. */
  result?: unknown;
  /** What the handler has thrown, from `error` on. */
  error?: unknown;
}

/** Handlers of this thread's actor. Look at `hasSubscribers` first: without any, nothing is made. */
export const HANDLE_CHANNEL: ReturnType<typeof tracingChannel> = tracingChannel("mini-otp:handle");

/** Runs a handler, and publishes its events. Returns what the handler returns, or a promise of it. */
export function publishHandling(message: PublishedHandling, run: () => unknown): unknown {
  const { start, end, asyncStart, asyncEnd, error: failed } = HANDLE_CHANNEL;
  const ended = (): void => {
    asyncStart.publish(message);
    asyncEnd.publish(message);
  };
  const threw = (error: unknown): void => {
    message.error = error;
    failed.publish(message);
  };
  return start.runStores(message, () => {
    try {
      const result = run();
      if (!isThenable(result)) {
        message.result = result;
        return result;
      }
      return result.then(
        (value) => {
          message.result = value;
          ended();
          return value;
        },
        (error: unknown) => {
          threw(error);
          ended();
          throw error;
        },
      );
    } catch (error) {
      threw(error);
      throw error;
    } finally {
      end.publish(message);
    }
  });
}
