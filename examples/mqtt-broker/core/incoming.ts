import type { IConnectPacket, IPublishPacket } from "mqtt-packet";
import type { Message, Will } from "./message.js";

/** No session is kept for longer. */
export const MAX_SESSION_MS = 24 * 3_600_000;
const NEVER_EXPIRES = 0xffff_ffff;

/** How long a session is kept, from what its client asks for. */
export function sessionMs(seconds: number): number {
  return seconds === NEVER_EXPIRES ? MAX_SESSION_MS : Math.min(seconds * 1_000, MAX_SESSION_MS);
}

export function willOf({ will }: IConnectPacket, clientId: string): Will | null {
  if (will === undefined) return null;
  const { topic, qos = 0, retain = false, properties = {} } = will;
  const payload = typeof will.payload === "string" ? Buffer.from(will.payload) : will.payload;
  const { willDelayInterval = 0, messageExpiryInterval, ...others } = properties;
  const kept = Object.keys(others).length > 0 ? others : null;
  // Its life begins when it is published, so an expiry of its own cannot be counted from here.
  const message = {
    topic,
    payload,
    qos: qos > 0 ? 1 : 0,
    retain,
    from: clientId,
    expiresAt: 0,
    properties: kept,
  } as const;
  return { message, delayMs: willDelayInterval * 1_000, expiresAfterMs: (messageExpiryInterval ?? 0) * 1_000 };
}

export function messageOf(packet: IPublishPacket, qos: 0 | 1, from: string, now: number): Message {
  const { topic, payload, retain, properties } = packet;
  let kept: Message["properties"] = null;
  let expiresAt = 0;
  if (properties !== undefined) {
    const { payloadFormatIndicator, responseTopic, correlationData, userProperties, contentType } = properties;
    kept = {
      ...(payloadFormatIndicator === undefined ? {} : { payloadFormatIndicator }),
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData }),
      ...(userProperties === undefined ? {} : { userProperties: { ...userProperties } }),
      ...(contentType === undefined ? {} : { contentType }),
    };
    if (Object.keys(kept).length === 0) kept = null;
    if (properties.messageExpiryInterval !== undefined) expiresAt = now + properties.messageExpiryInterval * 1_000;
  }
  return {
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    qos,
    retain,
    from,
    expiresAt,
    properties: kept,
  };
}
