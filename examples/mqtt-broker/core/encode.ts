import { generate, type IPublishPacket, type Packet } from "mqtt-packet";
import { bufferOf, type Delivery, type Message, publishProperties } from "./message.js";

export type Version = 4 | 5;

export function encode(packet: Packet, version: Version): Buffer {
  return generate(packet, { protocolVersion: version });
}

/** PUBACK with the reason code 0, which is the same in both versions. */
export function acknowledgement(packetId: number): Buffer {
  return Buffer.from([0x40, 2, packetId >> 8, packetId & 0xff]);
}

/** The last QoS 0 message that was encoded: one that goes to many clients is encoded once for each version. */
const last = { message: undefined as Message | undefined, retain: false, bytes: new Map<Version, Buffer>() };

export function publication(
  { message, qos, retain }: Delivery,
  packetId: number,
  again: boolean,
  version: Version,
  now: number,
): Buffer {
  if (qos === 1) return encodePublish(message, 1, retain, packetId, again, version, now);
  if (last.message !== message || last.retain !== retain) {
    last.message = message;
    last.retain = retain;
    last.bytes.clear();
  }
  let bytes = last.bytes.get(version);
  if (bytes === undefined) {
    bytes = encodePublish(message, 0, retain, 0, false, version, now);
    last.bytes.set(version, bytes);
  }
  return bytes;
}

function encodePublish(
  message: Message,
  qos: 0 | 1,
  retain: boolean,
  messageId: number,
  dup: boolean,
  version: Version,
  now: number,
): Buffer {
  const properties = version === 5 ? publishProperties(message, now) : undefined;
  const packet: IPublishPacket = {
    cmd: "publish",
    topic: message.topic,
    payload: bufferOf(message.payload),
    qos,
    retain,
    dup,
    ...(qos === 1 ? { messageId } : {}),
    ...(properties === undefined ? {} : { properties }),
  };
  return encode(packet, version);
}
