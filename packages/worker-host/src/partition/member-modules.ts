import type { ActorDefinition } from "../actor/define-actor.js";
import { HandlerTable } from "../loop/handler-table.js";
import { ActorError } from "../protocol/errors/errors.js";
import type { NameTable } from "../protocol/memory/name-table.js";
import type { MemberSpec, MemberType } from "./member-type.js";

/** Loads an actor's module: the first of these URLs that exists. */
export type LoadDefinition = (modules: readonly string[]) => Promise<ActorDefinition<any, any, any>>;

type Code = Pick<MemberType, "definition" | "handlers">;

interface Loading {
  readonly code: Promise<Code>;
  /** Present once it is loaded. */
  loaded: Code | undefined;
}

/** Code that has been loaded for an upgrade. */
export interface Replacement {
  readonly definition: ActorDefinition<any, any, any>;
  /** Of the code before. */
  readonly fromVersion: string;
  typeFor(spec: MemberSpec): MemberType;
  /** From here on what is started has this code. Returns what takes that back. */
  use(): () => void;
}

/** The modules of a partition's members, each loaded once, and what upgrades have put in their place. */
export class MemberModules {
  readonly #load: LoadDefinition;
  readonly #names: NameTable;
  // All by the modules that specs name, joined.
  readonly #code = new Map<string, Loading>();
  readonly #replaced = new Map<string, readonly string[]>();
  readonly #seen = new Set<string>();
  #lastUpgrade = 0;

  constructor(load: LoadDefinition, names: NameTable) {
    this.#load = load;
    this.#names = names;
  }

  /** An earlier thread of this partition has been upgraded: what is loaded for `of` is `modules`. */
  upgraded(of: string, modules: readonly string[]): void {
    this.#replaced.set(of, modules);
  }

  /** Without a turn of the microtasks, as most starts are; undefined before the module is loaded. */
  known(spec: MemberSpec): MemberType | undefined {
    const code = this.#code.get(moduleKey(spec))?.loaded;
    return code && typeOf(code, spec);
  }

  async typeFor(spec: MemberSpec): Promise<MemberType> {
    const key = moduleKey(spec);
    const loading = this.#code.get(key) ?? this.#begin(key, this.#replaced.get(key) ?? spec.modules);
    return typeOf(await loading.code, spec);
  }

  /** Loads `modules` for those that specs name as `of`. What is started has the former code until it is used. */
  async replacement(of: string, modules: readonly string[]): Promise<Replacement> {
    const former = await this.#code.get(of)?.code.catch(() => undefined);
    const again = modules.map((url) => this.#anew(url));
    const code = await this.#read(again);
    for (const url of modules) this.#seen.add(url);
    const { definition } = code;
    if (definition === former?.definition && again[0] !== modules[0]) throw keptByNode(modules[0]);
    return {
      definition,
      fromVersion: former?.definition.version ?? (this.#replaced.get(of) ?? of.split(","))[0],
      typeFor: (spec) => typeOf(code, spec),
      use: () => {
        const before = { code: this.#code.get(of), replaced: this.#replaced.get(of) };
        this.#code.set(of, { code: Promise.resolve(code), loaded: code });
        this.#replaced.set(of, modules);
        return () => {
          restore(this.#code, of, before.code);
          restore(this.#replaced, of, before.replaced);
        };
      },
    };
  }

  #begin(key: string, modules: readonly string[]): Loading {
    for (const url of modules) this.#seen.add(url);
    const loading: Loading = { code: this.#read(modules), loaded: undefined };
    this.#code.set(key, loading);
    loading.code.then(
      (code) => {
        loading.loaded = code;
      },
      // A module that is put right may be loaded by the next start.
      () => {
        if (this.#code.get(key) === loading) this.#code.delete(key);
      },
    );
    return loading;
  }

  async #read(modules: readonly string[]): Promise<Code> {
    const definition = await this.#load(modules);
    this.#names.enter(Object.keys(definition.handlers));
    return { definition, handlers: new HandlerTable(definition, this.#names) };
  }

  /** A module that this thread has loaded already is read anew. */
  #anew(url: string): string {
    if (!this.#seen.has(url) || !url.startsWith("file:")) return url;
    const again = new URL(url);
    again.searchParams.set("upgrade", String(++this.#lastUpgrade));
    return again.href;
  }
}

/** By which specs with the same modules are found. */
export function moduleKey({ modules }: MemberSpec): string {
  return modules.join();
}

function keptByNode(module: string): ActorError {
  const message = `${module}: Node keeps a CommonJS file as it was loaded first: the partition's next thread reads it anew`;
  return new ActorError("ERR_ACTOR_MODULE", message, {});
}

function typeOf({ definition, handlers }: Code, spec: MemberSpec): MemberType {
  return { spec, definition, handlers, survivesThrows: (spec.throws ?? definition.throws) === "reply" };
}

function restore<V>(map: Map<string, V>, key: string, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
