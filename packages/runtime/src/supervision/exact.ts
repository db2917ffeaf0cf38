/** Shown by the compiler in the place of an option that does not exist. */
export interface NoSuchOption<Name extends string> {
  readonly __noSuchOption: Name;
}

export type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** Shown by the compiler in the place of `args` that are not those that the actor's `init` takes. */
export interface NotTheArgs<Taken> {
  readonly __argsTaken: Taken;
}

/** What `args` of an object in the source may be, whose lists the compiler takes to be readonly. */
export type AsLiteral<T> = T extends readonly unknown[]
  ? { readonly [I in keyof T]: AsLiteral<T[I]> }
  : T extends object
    ? { readonly [K in keyof T]: AsLiteral<T[K]> }
    : T;

/**
 * `S` with the options of `Known` and no others. A type that is inferred from an object takes whatever the object has;
 * this refuses the rest of it, by name. Four options are objects of options themselves.
 */
export type Exact<S, Known> = {
  [K in keyof S]: K extends keyof Known
    ? K extends "backoff" | "mailbox" | "permissions" | "template"
      ? Exact<S[K], NonNullable<Known[K]>>
      : S[K]
    : NoSuchOption<K & string>;
};
