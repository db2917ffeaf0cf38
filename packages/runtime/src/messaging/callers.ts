import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { CALLERS, KIND_FAILURE } from "@mini-otp/worker-host/protocol/memory";
import type { Notice, ToActor } from "@mini-otp/worker-host/protocol/port";
import { type Transferable, transferLost } from "@mini-otp/worker-host/protocol/refs";
import { type Encoded, encodeForeign, payloadOf } from "@mini-otp/worker-host/protocol/values";
import type { Slot, Slots } from "../mailbox/slots.js";
import { handOver, release } from "./hand-over.js";
import type { MainOutbox } from "./main-outbox.js";

interface Caller {
  post(message: ToActor, transfer?: readonly Transferable[]): void;
}

/** Reaches callers that wait for replies: main itself, and actors. */
export class Callers {
  readonly #slots: Slots;
  readonly #main: MainOutbox;
  readonly #byUid: (uid: number) => Caller | undefined;

  constructor(slots: Slots, main: MainOutbox, byUid: (uid: number) => Caller | undefined) {
    this.#slots = slots;
    this.#main = main;
    this.#byUid = byUid;
  }

  /**
   * Tells each caller of the actor in `slot` that calls it consumed before `consumedBefore` get no reply any more, but for
   * those that `keptOf` names, by the caller's uid.
   */
  notify(
    slot: Slot,
    reason: ExitReason,
    consumedBefore: number,
    closed: boolean,
    keptOf: (callerUid: number) => readonly number[],
  ): void {
    const main = this.#main;
    let encodedReason: Encoded | undefined;
    for (const caller of this.#slots.members(slot, CALLERS)) {
      if (caller.uid === main.self.uid) {
        // Replies that the actor sent before its exit come first.
        main.takeReplies();
        main.pending.calleeExited(slot.uid, reason, consumedBefore, closed, new Set(keptOf(caller.uid)));
        continue;
      }
      encodedReason ??= encodeForeign(main.codec, reason);
      const message: ToActor = {
        type: "callee_exited",
        uid: slot.uid,
        reason: encodedReason,
        consumedBefore,
        closed,
        kept: keptOf(caller.uid),
      };
      this.#byUid(caller.uid)?.post(message);
    }
  }

  /** Passes on a reply, or a record of a stream, that found no room in its receiver's system lane. */
  detour({
    uid,
    kind,
    number,
    senderUid,
    correlation,
    payload,
    transferred,
  }: Extract<Notice, { type: "detour" }>): void {
    const record = { kind, number, senderUid, correlation };
    if (uid === this.#main.self.uid) {
      this.#main.takeRecord(record, payloadOf(payload), transferred);
      return;
    }
    const caller = this.#byUid(uid);
    if (caller === undefined) {
      release(transferred);
      return;
    }
    const lost = (): void => {
      const error = encodeForeign(this.#main.codec, transferLost({}, "the reply"));
      caller.post({ type: "reply", ...record, kind: KIND_FAILURE, payload: error, transferred: [] });
    };
    const post = (list: readonly Transferable[]): void =>
      caller.post({ type: "reply", ...record, payload, transferred: list }, list);
    handOver(transferred, post, lost);
  }
}
