import { type Packet, type Parser, parser } from "mqtt-packet";

/** The largest packet that is taken. */
export const MAX_PACKET_BYTES = 1024 * 1024;

export class MalformedPacket extends Error {}

/** Bytes in, packets out. A client that announces a huge packet is refused before it is kept. */
export class Decoder {
  readonly #parser: Parser = parser();
  readonly #packets: Packet[] = [];
  #error: unknown;

  constructor() {
    this.#parser.on("packet", (packet) => this.#packets.push(packet));
    this.#parser.on("error", (error) => {
      this.#error = error;
    });
  }

  /** The packets that are complete now. Throws MalformedPacket; no more may be decoded then. */
  decode(bytes: Uint8Array): Packet[] {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let left: number;
    try {
      left = this.#parser.parse(buffer);
    } catch (error) {
      // Of some malformed packets the parser reads past the end.
      throw new MalformedPacket(String(error));
    }
    if (this.#error !== undefined) throw new MalformedPacket(String(this.#error));
    if (left > MAX_PACKET_BYTES) throw new MalformedPacket(`a packet is larger than ${MAX_PACKET_BYTES} bytes`);
    return this.#packets.splice(0);
  }
}
