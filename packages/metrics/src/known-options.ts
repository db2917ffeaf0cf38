/** Throws TypeError for options that are no object, or that do not exist. */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`${what}: options=${String(options)}: must be an object with ${known.join(", ")}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw new TypeError(`${what}: no option ${unknown}; there are: ${known.join(", ")}`);
}
