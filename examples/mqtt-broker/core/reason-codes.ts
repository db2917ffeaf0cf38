/** The reason codes of version 5 that this broker uses. */
export const CODE = {
  success: 0x00,
  disconnectWithWill: 0x04,
  noSubscriptionExisted: 0x11,
  malformedPacket: 0x81,
  protocolError: 0x82,
  clientIdInvalid: 0x85,
  badAuthenticationMethod: 0x8c,
  serverShuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  topicAliasInvalid: 0x94,
  qosNotSupported: 0x9b,
  sharedNotSupported: 0x9e,
  subscriptionIdNotSupported: 0xa1,
} as const;

export type Code = (typeof CODE)[keyof typeof CODE];

/** The return codes of CONNACK in version 3.1.1. */
export const CONNACK_3 = { accepted: 0, version: 1, clientId: 2, unavailable: 3 } as const;
