import { CurrentCall } from "../loop/current-call.js";
import { LoopState } from "../loop/loop-state.js";
import type { OneWayOutbox } from "../protocol/calls/one-way-outbox.js";
import type { Caller } from "./cell.js";

/** What encodes and sends replies, also those that no message can carry: as for any actor. */
export class RingReplies {
  readonly #call: CurrentCall;

  /** `id` is the supervisor's path. */
  constructor(id: string, outbox: OneWayOutbox) {
    this.#call = new CurrentCall(id, outbox, new LoopState(), undefined);
  }

  to(address: number, uid: number, correlation: number): Caller {
    return new RingCaller(this.#call, address, uid, correlation);
  }
}

/** A caller in another thread. */
class RingCaller implements Caller {
  readonly #call: CurrentCall;
  readonly address: number;
  readonly uid: number;
  readonly correlation: number;

  constructor(call: CurrentCall, address: number, uid: number, correlation: number) {
    this.#call = call;
    this.address = address;
    this.uid = uid;
    this.correlation = correlation;
  }

  succeed(value: unknown): void {
    this.#call.reply(this, value);
  }

  fail(error: unknown): void {
    this.#call.fail(this, error);
  }

  is(uid: number, correlation: number): boolean {
    return this.uid === uid && this.correlation === correlation;
  }
}
