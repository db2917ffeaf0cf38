/** What each node says of itself, every heartbeat. */
export interface Heartbeat {
  readonly incarnation: string;
  readonly startedAt: number;
  readonly version: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly leaving: boolean;
  /** How late its main was for the last one, in ms. */
  readonly lagMs: number;
}

const MAX_BYTES = 16 * 1024;

export function encodeHeartbeat(heartbeat: Heartbeat): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(heartbeat));
}

/** Undefined for what is none. Never throws. */
export function decodeHeartbeat(bytes: Uint8Array): Heartbeat | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  try {
    const { incarnation, startedAt, version, labels, leaving, lagMs } = JSON.parse(
      new TextDecoder().decode(bytes),
    ) as Partial<Heartbeat>;
    const isOne =
      typeof incarnation === "string" &&
      typeof version === "string" &&
      Number.isFinite(startedAt) &&
      Number.isFinite(lagMs) &&
      typeof labels === "object" &&
      labels !== null &&
      Object.values(labels).every((label) => typeof label === "string");
    if (!isOne) return undefined;
    return { incarnation, startedAt, version, labels, leaving: leaving === true, lagMs } as Heartbeat;
  } catch {
    return undefined;
  }
}
