/** What a type says of a value, as far as a generator of values needs it. */
export type Shape =
  | { readonly kind: "string" | "number" | "boolean" | "bigint" | "undefined" | "null" | "any" | "function" }
  | { readonly kind: "literal"; readonly value: string | number | boolean }
  | { readonly kind: "union"; readonly of: readonly Shape[] }
  | { readonly kind: "list"; readonly of: Shape }
  /** One that the stage has, as an ActorRef or a URL. */
  | { readonly kind: "named"; readonly name: string }
  | { readonly kind: "object"; readonly name: string; readonly fields: readonly FieldShape[] };

export interface FieldShape {
  readonly name: string;
  readonly optional: boolean;
  readonly shape: Shape;
}

/** What can be called, by one signature. `…` in front of a name: as many as one likes. */
export interface Callable {
  readonly params: readonly FieldShape[];
}

/** The public surface of the packages. */
export interface Surface {
  /** By what is called: `startSystem`, `ActorSystem.stop`, `new ReplyError`; a signature each. */
  readonly calls: Readonly<Record<string, readonly Callable[]>>;
  /** What a user writes: `StopOptions`, `PoolSpec`. */
  readonly options: Readonly<Record<string, Extract<Shape, { kind: "object" }>>>;
}
