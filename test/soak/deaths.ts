/** The ways in which an actor ends that it brings about itself. */
export const DEATHS = ["throw", "exit", "leak", "loop", "reject"] as const;
export type Death = (typeof DEATHS)[number];

/** Does not return, or not for long. */
export function die(death: Death): unknown {
  const kept: unknown[] = [];
  switch (death) {
    case "throw":
      throw new Error("soak");
    case "exit":
      return process.exit(3);
    case "leak":
      for (;;) kept.push(new Array(100_000).fill(kept));
    case "loop":
      for (;;) kept.length = 0;
    case "reject":
      return Promise.reject(new Error("soak"));
  }
}
