import type { Target } from "@mini-otp/worker-host/protocol/port";

/** A light actor as references mean it: whichever of its lives there is, unless one is named. */
export interface LightTarget extends Target {
  readonly address: number;
}

/** One life of a light actor. */
export interface LightLife extends LightTarget {
  readonly life: number;
}

/** No id has a control character. */
const SEPARATOR = "\n";

/** The name under which the life of a light actor is known to monitors and links: its path is its next life's too. */
export function lightName({ id, address, uid, life }: LightLife): string {
  return [id, address, uid, life].join(SEPARATOR);
}

/** The life behind such a name; undefined for the path of another process. */
export function lightNamed(name: string): LightLife | undefined {
  const [id, address, uid, life] = name.split(SEPARATOR);
  return life === undefined ? undefined : { id, address: Number(address), uid: Number(uid), life: Number(life) };
}

export function isLightName(name: string): boolean {
  return name.includes(SEPARATOR);
}

/** The path of the process that is known by this name. */
export function pathOfName(name: string): string {
  const at = name.indexOf(SEPARATOR);
  return at < 0 ? name : name.slice(0, at);
}
