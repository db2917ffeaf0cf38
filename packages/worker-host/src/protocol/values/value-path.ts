/** A part of a value without a name of its own. */
export class Place {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** The value under a key of a Map. */
export class AtKey {
  readonly key: unknown;

  constructor(key: unknown) {
    this.key = key;
  }
}

/** A step from a value to a part of it. */
export type Step = string | number | Place | AtKey;

/** `args[0].handlers.onDone` */
export function pathOf(root: string, steps: readonly Step[]): string {
  return root + steps.map(textOf).join("");
}

function textOf(step: Step): string {
  if (typeof step === "number") return `[${step}]`;
  if (step instanceof Place) return step.text;
  if (step instanceof AtKey) return `.get(${printKey(step.key)})`;
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
}

function printKey(key: unknown): string {
  return typeof key === "object" || typeof key === "function" ? "…" : String(key);
}
