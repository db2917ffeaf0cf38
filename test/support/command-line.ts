import { parseArgs } from "node:util";

type Options = Readonly<Record<string, { readonly type: "string" | "boolean"; readonly multiple?: boolean }>>;

/** What a program of the tests was started with. A mistake ends the process: one clear line, exit code 2. */
export class CommandLine {
  readonly #program: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly positionals: readonly string[];

  constructor(program: string, options: Options, { allowPositionals = false } = {}) {
    this.#program = program;
    const { values, positionals } = this.#parse(options, allowPositionals);
    this.#values = values;
    this.positionals = positionals;
  }

  #parse(options: Options, allowPositionals: boolean) {
    try {
      // pnpm hands on a `--` that stands before the arguments.
      const args = process.argv.slice(2).filter((arg) => arg !== "--");
      return parseArgs({ args, options, allowPositionals });
    } catch (error) {
      // The first sentence: the others are advice on how to escape a dash.
      return this.refuse(`${(error as Error).message.split(/\.?\n|\. /)[0]}; it takes ${spelled(options)}`);
    }
  }

  refuse(mistake: string): never {
    console.error(`${this.#program}: ${mistake}`);
    process.exit(2);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  /** Each of what was given. */
  texts(name: string): readonly string[] {
    return [this.#values[name] ?? []].flat() as string[];
  }

  number(name: string, fallback: number, min: number, max: number): number {
    const [text] = this.texts(name);
    if (text === undefined) return fallback;
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < min || number > max) {
      this.refuse(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
    }
    return number;
  }

  /** A list with commas of what is among these; all of them when it was not given. */
  chosen<T extends string | number>(name: string, all: readonly T[]): readonly T[] {
    const texts = this.texts(name).flatMap((text) => text.split(","));
    const unknown = texts.find((text) => !all.some((one) => String(one) === text));
    if (unknown !== undefined) this.refuse(`--${name} takes some of ${all.join(", ")}, not "${unknown}"`);
    return texts.length === 0 ? all : all.filter((one) => texts.includes(String(one)));
  }
}

function spelled(options: Options): string {
  return Object.entries(options)
    .map(([name, { type }]) => `--${name}${type === "string" ? " …" : ""}`)
    .join(", ");
}
