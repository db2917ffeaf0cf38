import { hostileValue } from "./hostile.js";
import type { Random } from "./random.js";
import type { FieldShape, Shape } from "./shapes.js";

/** What a value may be of that only a running system has, and what names mean in it. */
export interface Stage {
  /** An instance of this class or foreign type; undefined when there is none. */
  named(name: string): unknown;
  /** A value for a field or parameter of this name, where any of its type would do nothing: `actor`, `method`. */
  hint(name: string): (() => unknown) | undefined;
}

/** Small, so that what is right takes no time and few threads. */
const NUMBERS = [0, 1, 2, 3, 5, 10, 20, 0.5];
const TEXTS = ["a", "b", "a (gone)", "räuber", "日本", "🎲", "x y"];

/** Makes values from shapes: right ones mostly, and here and there a hostile one. Says which options it has tried. */
export class Values {
  readonly #random: Random;
  readonly #stage: Stage;
  readonly tried: Set<string>;
  #isWhole = false;

  constructor(random: Random, stage: Stage, tried: Set<string>) {
    this.#random = random;
    this.#stage = stage;
    this.tried = tried;
  }

  /** Right ones, with every option that there is. */
  everything(params: readonly FieldShape[]): unknown[] {
    this.#isWhole = true;
    const args = params.map(({ name, shape }) => this.#value(name, shape, 0));
    this.#isWhole = false;
    return args;
  }

  /** One in so many is hostile. */
  arguments(params: readonly FieldShape[], hostility: number): unknown[] {
    const args: unknown[] = [];
    for (const { name, shape } of params) {
      if (name.startsWith("…")) {
        const count = this.#random.below(3);
        for (let i = 0; i < count; i++) args.push(this.#value(name.slice(1), shape, hostility));
      } else {
        args.push(this.#value(name, shape, hostility));
      }
    }
    // What is left out at the end is an argument of its own.
    return this.#random.chance(0.1) ? args.slice(0, this.#random.below(args.length + 1)) : args;
  }

  #value(name: string, shape: Shape, hostility: number): unknown {
    if (this.#random.chance(hostility)) return hostileValue(this.#random);
    const hint = this.#stage.hint(name);
    return hint !== undefined ? hint() : this.#right(name, shape, hostility);
  }

  #right(name: string, shape: Shape, hostility: number): unknown {
    const random = this.#random;
    switch (shape.kind) {
      case "string":
        return random.pick(TEXTS);
      case "number":
        return random.pick(NUMBERS);
      case "boolean":
        return random.chance(0.5);
      case "bigint":
        return BigInt(random.below(100));
      case "undefined":
        return undefined;
      case "null":
        return null;
      case "literal":
        return shape.value;
      case "function":
        return () => ({});
      case "any":
        return random.pick([1, "text", { a: [1, 2] }, undefined, new Map([[1, new Date(0)]])]);
      case "list":
        return Array.from({ length: random.below(3) }, () => this.#value(name, shape.of, hostility));
      case "union":
        return this.#right(name, random.pick(this.#choices(shape.of)), hostility);
      case "named":
        return this.#stage.named(shape.name) ?? hostileValue(random);
      case "object":
        return this.#object(shape.name, shape.fields, hostility);
    }
  }

  #choices(of: readonly Shape[]): readonly Shape[] {
    const there = of.filter(({ kind }) => kind !== "undefined");
    return this.#isWhole && there.length > 0 ? there : of;
  }

  #object(name: string, fields: readonly FieldShape[], hostility: number): object {
    const random = this.#random;
    const made: Record<string, unknown> = {};
    const share = this.#isWhole ? 1 : random.pick([0.1, 0.3, 1]);
    for (const { name: field, optional, shape } of fields) {
      if (optional && !random.chance(share)) continue;
      made[field] = this.#value(field, shape, hostility);
      this.tried.add(`${name}.${field}`);
    }
    if (!this.#isWhole && random.chance(0.05))
      made[random.pick(["timeout", "__proto__", "x".repeat(300), "\u001b"])] = hostileValue(random);
    return made;
  }
}
