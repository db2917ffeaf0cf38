import type { Parcel } from "../protocol/port/messages.js";
import { PARCEL_TARGET, type Payload } from "../protocol/ring/payload.js";
import type { ActorOutbox } from "./actor-outbox.js";
import type { DirectPorts } from "./direct-ports.js";

const NO_CHANNEL = Symbol("no channel");

type Outcome = Parcel | null | undefined;

/**
 * Gets the content of the placeholder that the mailbox is at: from main, or from the channel on which the sender posted
 * it. `null` says that it is lost, undefined that it comes as a control message.
 */
export class ParcelClaim {
  readonly #outbox: ActorOutbox;
  readonly #direct: DirectPorts;
  #owner = 0;
  #number = 0;
  /** Owner id of the thread to which the sender posts it; 0 for main. */
  #target = 0;
  /** Main was asked, and has not answered. */
  #asked = false;

  constructor(outbox: ActorOutbox, direct: DirectPorts) {
    this.#outbox = outbox;
    this.#direct = direct;
  }

  claim({ words }: Payload): Outcome {
    this.#owner = words[0];
    this.#number = words[1];
    this.#target = words[PARCEL_TARGET];
    this.#asked = false;
    if (this.#target === this.#direct.ownerId) {
      const found = this.#fromSender();
      if (found !== NO_CHANNEL) return found;
    }
    // It was posted to a former thread of this actor, which may have returned it to main. Or the channel is so new that
    // main's message with this end of it is on its way: main's answer comes after that.
    this.#asked = true;
    this.#outbox.post({ type: "claim", owner: this.#owner, number: this.#number, direct: this.#target !== 0 });
    return undefined;
  }

  /** The message "parcel" has come. */
  answered(parcel: Parcel | null): Outcome {
    if (parcel !== null || !this.#asked || this.#target !== this.#direct.ownerId) return parcel;
    this.#asked = false;
    const found = this.#fromSender();
    return found === NO_CHANNEL ? null : found;
  }

  /** Its call has been given up before its turn. False when the parcel comes all the same, and has to be taken. */
  discard({ words }: Payload): boolean {
    if (words[PARCEL_TARGET] !== 0) return false;
    this.#outbox.post({ type: "parcel_lost", owner: words[0], number: words[1] });
    return true;
  }

  #fromSender(): Outcome | typeof NO_CHANNEL {
    const found = this.#direct.takeParcel(this.#owner, this.#number);
    if (found !== undefined) return found;
    if (this.#direct.to(this.#owner) === undefined) return NO_CHANNEL;
    this.#direct.awaitParcel(this.#owner, this.#number);
    return undefined;
  }
}
