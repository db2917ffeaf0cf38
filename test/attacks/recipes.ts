import fc from "fast-check";
import { type Recipe, SHAPE_NAMES } from "./fixtures/hostile.js";

const KINDS = [
  "normal",
  "shutdown",
  "killed",
  "error",
  "heap_cap_exceeded",
  "off_heap_cap_exceeded",
  "unresponsive",
  "exit_called",
  "init_failed",
  "init_timeout",
  "linked",
  "noproc",
  "reached_max_restart_intensity",
  "toString",
  "__proto__",
];

/** Ways to make a value that is hard to describe, one in another. */
export const recipes: fc.Arbitrary<Recipe> = fc.letrec<{ recipe: Recipe }>((tie) => ({
  recipe: fc.record(
    {
      shape: fc.constantFrom(...SHAPE_NAMES),
      kind: fc.option(fc.constantFrom(...KINDS), { nil: undefined }),
      text: fc.option(fc.string({ unit: "binary", maxLength: 10 }), { nil: undefined }),
      inner: fc.option(tie("recipe"), { nil: undefined, maxDepth: 3 }),
    },
    { requiredKeys: ["shape"] },
  ),
})).recipe;
