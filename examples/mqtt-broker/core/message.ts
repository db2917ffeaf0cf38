import type { IPublishPacket } from "mqtt-packet";

type PublishProperties = NonNullable<IPublishPacket["properties"]>;

/** What a receiver gets as the publisher has sent it. */
export type MessageProperties = Pick<
  PublishProperties,
  "payloadFormatIndicator" | "responseTopic" | "correlationData" | "userProperties" | "contentType"
>;

/** A message on its way through the broker. It passes from thread to thread, so it is plain data. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** The client that has published it, for subscriptions that do not want their own. */
  readonly from: string;
  /** In Date.now() time; 0: it does not expire. */
  readonly expiresAt: number;
  readonly properties: MessageProperties | null;
}

/** How one client gets a message. */
export interface Delivery {
  readonly message: Message;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

export interface SubscriptionOptions {
  readonly qos: 0 | 1;
  /** Not what this client has published itself. */
  readonly noLocal: boolean;
  /** With the retain flag as it was published. */
  readonly retainAsPublished: boolean;
}

export interface Subscription extends SubscriptionOptions {
  readonly filter: string;
  /** 0: retained messages are sent; 1: only if the subscription is new; 2: they are not. */
  readonly retainHandling: number;
}

export interface Will {
  readonly message: Message;
  readonly delayMs: number;
  /** Counted from when it is published; 0: it does not expire. */
  readonly expiresAfterMs: number;
}

/** Two bits and one: how a delivery's options pass from thread to thread. */
export function flagsOf(qos: 0 | 1, retain: boolean): number {
  return qos | (retain ? 2 : 0);
}

export function deliveryOf(message: Message, flags: number): Delivery {
  return { message, qos: (flags & 1) as 0 | 1, retain: (flags & 2) !== 0 };
}

/** The properties for version 5. `now` lowers what is left of a message's life, as the specification asks. */
export function publishProperties(message: Message, now: number): PublishProperties | undefined {
  if (message.properties === null && message.expiresAt === 0) return undefined;
  const properties: PublishProperties = { ...message.properties };
  if (properties.correlationData !== undefined) {
    // From another thread it comes as bytes, and mqtt-packet wants Node's Buffer.
    properties.correlationData = bufferOf(properties.correlationData);
  }
  if (message.expiresAt > 0)
    properties.messageExpiryInterval = Math.max(1, Math.ceil((message.expiresAt - now) / 1000));
  return properties;
}

export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function hasExpired(message: Message, now: number): boolean {
  return message.expiresAt > 0 && message.expiresAt <= now;
}
