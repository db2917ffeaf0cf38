import { ActorError } from "../errors/errors.js";
import type { DirectParcel, Notice, Parcel } from "../port/messages.js";
import type { Transferable } from "../refs/actor-types.js";
import { checkTransferList, notTransferable, uncloneableFor } from "../refs/transfer-list.js";
import {
  FORMAT_MEMBER,
  FORMAT_PARCEL,
  FORMAT_TRACED,
  MAX_MESSAGE_BYTES,
  newPayload,
  PARCEL_TARGET,
  type Payload,
  withMethodText,
} from "../ring/payload.js";
import type { Codec } from "../values/codec.js";
import { encoded } from "../values/encoded.js";
import type { Peer } from "./peers.js";
import type { Carrier } from "./telemetry.js";

/** Sends a notice to main. Throws when something in `transfer` cannot be transferred. */
export type TellMain = (notice: Notice, transfer?: readonly Transferable[]) => void;

/** The way past main for one parcel. */
export interface DirectWay {
  /** Posts the parcel to its receiver's thread. Throws as `TellMain`. */
  post(parcel: DirectParcel, transfer: readonly Transferable[]): void;
  /** The mailbox has not taken the message: there is nothing to post. */
  giveUp(): void;
}

const PLACEHOLDER_BYTES = 12;

/** An encoded message. The next encode overwrites `payload`. */
export interface EncodedMessage {
  /** The content of the ring's record: the message itself, or the placeholder of its parcel. */
  readonly payload: Payload;
  /** The message, when it goes by way of main. It is sent once its placeholder is in the mailbox. */
  readonly parcel: Parcel | undefined;
}

/** Encodes one thread's messages. A message that its ring cannot carry becomes a parcel, which main hands over. */
export class ParcelWriter {
  readonly #codec: Codec;
  readonly #ownerId: number;
  readonly #tellMain: TellMain;
  readonly #placeholder: Payload = {
    ...newPayload(PLACEHOLDER_BYTES),
    length: PLACEHOLDER_BYTES,
    format: FORMAT_PARCEL,
  };
  #parcels = 0;

  /** `ownerId` is unique among all threads ever started, so with a count it names a parcel. */
  constructor(codec: Codec, ownerId: number, tellMain: TellMain) {
    this.#codec = codec;
    this.#ownerId = ownerId;
    this.#tellMain = tellMain;
  }

  /**
   * Encodes the arguments of a message to `to`. A method without a number (`methodId` below 0) travels as text behind
   * them. A message that is too large for the ring, or has objects to transfer, gets a parcel.
   * Throws ERR_NOT_CLONEABLE, ERR_MESSAGE_TOO_LARGE.
   */
  encode(
    to: Peer,
    methodId: number,
    method: string,
    args: readonly unknown[],
    transfer: readonly Transferable[] | undefined,
    carrier: Carrier | undefined,
  ): EncodedMessage {
    const transferred = transfer === undefined || transfer.length === 0 ? undefined : transfer;
    const { target } = to;
    const leaves = to.leavesWith > 0;
    const traced = carrier === undefined ? args : [...args, carrier];
    const all = target === undefined ? traced : [...traced, target];
    let payload: Payload;
    try {
      payload = this.#codec.encodeArgs(all, transferred, leaves);
    } catch (error) {
      throw uncloneableFor({ id: to.id, method }, error);
    }
    if (carrier !== undefined) payload.format |= FORMAT_TRACED;
    if (target !== undefined) payload.format |= FORMAT_MEMBER;
    if (leaves && payload.length > to.leavesWith) throw tooLarge(to, method, payload.length, to.leavesWith);
    const textBytes = methodId < 0 ? -methodId : 0;
    const fits = payload.length + textBytes <= to.mailbox.maxPayloadBytes && payload.shared === undefined;
    if (transferred === undefined && fits) {
      return { payload: textBytes === 0 ? payload : withMethodText(payload, method), parcel: undefined };
    }
    const parcel = this.#parcelOf(to, method, payload, transferred ?? []);
    const placeholder = this.#placeholderOf(parcel);
    return { payload: textBytes === 0 ? placeholder : withMethodText(placeholder, method), parcel };
  }

  /**
   * Hands a parcel over: to main, or as the placeholder says to its receiver's thread. The placeholder is in the mailbox
   * of `to`. Throws ERR_NOT_CLONEABLE.
   */
  send(to: Peer, parcel: Parcel, way: DirectWay | undefined): void {
    const { owner, number, content, transferred } = parcel;
    try {
      // While the message waited for room, an object may have been transferred elsewhere, and postMessage does not
      // say so of each kind.
      checkTransferList(transferred);
      const list = [content.bytes.buffer as ArrayBuffer, ...transferred];
      if (way === undefined) this.#tellMain({ type: "parcel", uid: to.uid, parcel }, list);
      else way.post({ owner, number, parcel }, list);
    } catch (error) {
      if (way === undefined) this.#tellMain({ type: "parcel_lost", owner, number });
      else way.post({ owner, number, parcel: null }, []);
      throw notTransferable({ id: to.id }, error);
    }
  }

  #parcelOf(to: Peer, method: string, payload: Payload, transferred: readonly Transferable[]): Parcel {
    if (payload.length > MAX_MESSAGE_BYTES) throw tooLarge(to, method, payload.length, MAX_MESSAGE_BYTES);
    // An int32, as the placeholder holds it.
    this.#parcels = (this.#parcels + 1) | 0;
    return { owner: this.#ownerId, number: this.#parcels, content: encoded(payload), transferred };
  }

  #placeholderOf({ owner, number }: Parcel): Payload {
    const placeholder = this.#placeholder;
    placeholder.words[0] = owner;
    placeholder.words[1] = number;
    placeholder.words[PARCEL_TARGET] = 0;
    return placeholder;
  }
}

function tooLarge({ id }: Peer, method: string, bytes: number, limit: number): ActorError {
  const advice = limit === MAX_MESSAGE_BYTES ? "; transfer what is larger" : "";
  const message = `id=${id} method=${method}: message of ${bytes} bytes, at most ${limit}${advice}`;
  return new ActorError("ERR_MESSAGE_TOO_LARGE", message, { id, method, bytes, limit });
}
