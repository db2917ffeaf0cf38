import type { Target } from "@mini-otp/worker-host/protocol/port";

/** One life of a light actor, as references mean it. */
export interface LightTarget extends Target {
  readonly address: number;
}

/** No id has a control character. */
const SEPARATOR = "\n";

/** The name under which the life of a light actor is known to monitors and links: its path may be another's later. */
export function lightName({ id, address, uid }: LightTarget): string {
  return [id, address, uid].join(SEPARATOR);
}

/** The life behind such a name; undefined for the path of another process. */
export function lightNamed(name: string): LightTarget | undefined {
  const [id, address, uid] = name.split(SEPARATOR);
  return uid === undefined ? undefined : { id, address: Number(address), uid: Number(uid) };
}

export function isLightName(name: string): boolean {
  return name.includes(SEPARATOR);
}

/** The path of the process that is known by this name. */
export function pathOfName(name: string): string {
  const at = name.indexOf(SEPARATOR);
  return at < 0 ? name : name.slice(0, at);
}
