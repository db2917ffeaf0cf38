/**
 * One of three values: that of `pnpm test`, of `pnpm test:long`, or of `pnpm test:full` and wherever else a test is run.
 * Without a third the last two are the same.
 */
export function ofPart<T>(short: T, long: T, full: T = long): T {
  const part = process.env.TEST_PART;
  if (part === "short") return short;
  return part === "long" ? long : full;
}

/** One in three of a list, or all of it in `pnpm test:full`. Of the rows of a table with three columns it is another column each time. */
export function oneInThree(index: number): boolean {
  return ofPart(true, index % 3 === Math.floor(index / 3) % 3, true);
}

/** Every second one of a list, from the first or the second on; in `pnpm test:full` all. */
export function everySecond(from: 0 | 1): (one: unknown, index: number) => boolean {
  return (_one, index) => ofPart(true, index % 2 === from, true);
}
