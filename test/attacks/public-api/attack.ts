import { inspect } from "node:util";
import { isActorError, isReplyError } from "@mini-otp/runtime";
import { Random } from "./random.js";
import type { Surface } from "./shapes.js";
import { type Stage, Values } from "./values.js";

/** Where members are found, and what becomes of what they return. */
export interface Area extends Stage {
  /** What `name` is called on: an object, or the module of a function. Undefined: it is not part of this area. */
  target(name: string): object | undefined;
  /** Takes back what a call has set up. May change the stage. */
  undo(call: string, result: unknown): unknown;
  /** Whether an error without a code is what this member is documented to fail with. */
  expects(call: string, error: { readonly message: string; readonly code?: unknown }): boolean;
  /** The arguments that are given in the end: some would wait for long, or end what is to go on. */
  adjust(call: string, args: unknown[]): unknown[];
  /** It does not run beside others. */
  isAlone(call: string): boolean;
  /** Called now and then, with nothing under way. Throws when something is broken. */
  check(): Promise<void>;
}

export interface Report {
  readonly seed: number;
  readonly calls: number;
  readonly worked: number;
  readonly refused: Readonly<Record<string, number>>;
  /** Members that were called, and options that were tried. */
  readonly called: readonly string[];
  readonly tried: readonly string[];
  readonly failures: readonly string[];
}

const AT_A_TIME = 8;
const CHECK_EVERY = 40;
const DEADLINE_MS = 12_000;
/** Random values are wrong most of the time: a run that ends for its time has had so many calls that worked. */
export const LEAST_WORKED = 100;
const MAX_FAILURES = 20;

/** Calls members at random with values at random, for so long. Each works, or fails with a clear error, in time. */
export class Attack {
  readonly #surface: Surface;
  readonly #area: Area;
  readonly #seed: number;
  readonly #random: Random;
  readonly #values: Values;
  readonly #called = new Set<string>();
  readonly #tried = new Set<string>();
  readonly #refused: Record<string, number> = {};
  readonly #failures: string[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #recent: string[] = [];
  #calls = 0;
  #worked = 0;

  constructor(surface: Surface, area: Area, seed: number) {
    this.#surface = surface;
    this.#area = area;
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#values = new Values(this.#random, area, this.#tried);
  }

  /** Something has gone wrong outside of any call. */
  failed(what: string, error: unknown): void {
    this.#fail(`${what} after ${this.#recent.join("; ")}`, error);
  }

  async run(calls: number, forMs: number): Promise<Report> {
    const names = Object.keys(this.#surface.calls).filter((name) => this.#area.target(name) !== undefined);
    const until = performance.now() + forMs;
    for (const name of names) {
      for (const { params } of this.#surface.calls[name]) {
        await this.#call(name, this.#values.everything(params));
        if (/\.stop$/.test(name)) await this.#check();
      }
    }
    await this.#check();
    // Each is called once more at least, whatever the time.
    const order = [...names, ...Array.from({ length: calls }, () => this.#random.pick(names))];
    for (const [index, name] of order.entries()) {
      if (this.#failures.length >= MAX_FAILURES) break;
      if (index >= names.length && performance.now() > until && this.#worked > LEAST_WORKED) break;
      if (this.#area.isAlone(name) || index % CHECK_EVERY === 0) await this.#settled();
      if (index % CHECK_EVERY === 0) await this.#check();
      this.#start(name);
      if (this.#area.isAlone(name)) await this.#settled();
      while (this.#open.size >= AT_A_TIME) await Promise.race(this.#open);
    }
    await this.#settled();
    await this.#check();
    return {
      seed: this.#seed,
      calls: this.#calls,
      worked: this.#worked,
      refused: this.#refused,
      called: [...this.#called],
      tried: [...this.#tried],
      failures: this.#failures,
    };
  }

  #start(name: string): void {
    const { params } = this.#random.pick(this.#surface.calls[name]);
    const args = this.#values.arguments(params, this.#random.pick([0, 0.05, 0.3, 0.8]));
    const started = this.#call(name, args).finally(() => this.#open.delete(started));
    this.#open.add(started);
  }

  async #call(name: string, given: unknown[]): Promise<void> {
    const args = this.#area.adjust(name, given);
    const what = `#${this.#calls++} ${name}(${args.map(shown).join(", ")})`;
    this.#called.add(name);
    this.#recent.push(what);
    if (this.#recent.length > AT_A_TIME) this.#recent.shift();
    const target = this.#area.target(name) as Record<string, (...args: unknown[]) => unknown>;
    const member = name.slice(name.lastIndexOf(".") + 1);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it has not settled in ${DEADLINE_MS} ms`)), DEADLINE_MS);
    });
    try {
      const made = member.startsWith("new ")
        ? Reflect.construct(target[member.slice(4)], args)
        : target[member](...args);
      const result: unknown = await Promise.race([made, late]);
      this.#worked++;
      await Promise.race([this.#area.undo(name, result), late]);
    } catch (error) {
      this.#judge(name, what, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #judge(name: string, what: string, error: unknown): void {
    const errors = errorsOf(error);
    if (errors !== undefined) {
      for (const each of errors) this.#judge(name, what, each);
      return;
    }
    const { code, hostile } = facts(error);
    if (isActorError(error) || isReplyError(error))
      this.#refused[String(code)] = (this.#refused[String(code)] ?? 0) + 1;
    // What is the user's own comes back as it is, or as the cause of what it has ended.
    else if (hostile === true) this.#refused.hostile = (this.#refused.hostile ?? 0) + 1;
    else if (!this.#area.expects(name, facts(error))) this.#fail(what, error);
  }

  #fail(what: string, error: unknown): void {
    const { message, stack } = facts(error);
    const place = String(stack ?? "")
      .split("\n")
      .slice(0, 6)
      .join("\n");
    this.#failures.push(`seed ${this.#seed} ${what}: ${place.includes(message) ? place : `${message}\n${place}`}`);
  }

  async #settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async #check(): Promise<void> {
    try {
      await this.#area.check();
    } catch (error) {
      this.failed("the check", error);
    }
  }
}

/** Those of an AggregateError. */
function errorsOf(error: unknown): readonly unknown[] | undefined {
  try {
    return error instanceof AggregateError ? error.errors : undefined;
  } catch {
    return undefined;
  }
}

function facts(error: unknown): { message: string; code?: unknown; stack?: unknown; hostile?: unknown } {
  try {
    const { message, code, stack, hostile } = error as Partial<Record<string, unknown>>;
    return { message: String(message), code, stack, hostile };
  } catch {
    return { message: "an error that cannot be read" };
  }
}

function shown(value: unknown): string {
  try {
    const text = inspect(value, {
      depth: 2,
      breakLength: Infinity,
      maxArrayLength: 4,
      maxStringLength: 60,
      getters: false,
    });
    return text.length > 300 ? `${text.slice(0, 300)}…` : text;
  } catch {
    return "what cannot be shown";
  }
}
