/** One of two values: the first in `pnpm test`, the second in `pnpm test:long` and wherever else a test is run. */
export function ofPart<T>(short: T, full: T): T {
  return process.env.TEST_PART === "short" ? short : full;
}
