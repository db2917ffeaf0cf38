/**
 * Shown by the compiler in the place of an option that does not exist, with the option that was meant, or else with all
 * that there are.
 */
export interface NoSuchOption<Name extends string, Instead extends string = string> {
  readonly "this option does not exist": [Name, Instead];
}

export type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** Shown by the compiler in the place of `args` that are not those that the actor's `init` takes. */
export interface NotTheArgs<Taken> {
  readonly "init takes other args": Taken;
}

/** What `args` of an object in the source may be, whose lists the compiler takes to be readonly. */
export type AsLiteral<T> = T extends readonly unknown[]
  ? { readonly [I in keyof T]: AsLiteral<T[I]> }
  : T extends object
    ? { readonly [K in keyof T]: AsLiteral<T[K]> }
    : T;

/**
 * Whether two texts are equal but for one letter: another one, one more, one less, or two in the other order. The
 * compiler compares from the first letter on that differs.
 */
type DifferInOne<A extends string, B extends string> = A extends `${infer X}${infer RestOfA}`
  ? B extends `${infer Y}${infer RestOfB}`
    ? X extends Y
      ? DifferInOne<RestOfA, RestOfB>
      : RestOfA extends RestOfB | B
        ? true
        : A extends RestOfB
          ? true
          : [A, B] extends [`${X}${Y}${infer Rest}`, `${Y}${X}${infer Same}`]
            ? Rest extends Same
              ? true
              : false
            : false
    : RestOfA extends ""
      ? true
      : false
  : B extends `${string}${infer Rest}`
    ? Rest extends ""
      ? true
      : false
    : true;

/** The options of `Known` that are `Name` in other case, or with one other letter. */
type Nearest<Name extends string, Known> = Known extends string
  ? DifferInOne<Lowercase<Name>, Lowercase<Known>> extends true
    ? Known
    : never
  : never;

/** The options of `Known` that `Name` is a part of. */
type Longer<Name extends string, Known> = Known extends string
  ? Lowercase<Known> extends `${string}${Lowercase<Name>}${string}`
    ? Known
    : never
  : never;

/** What is shown beside an option that does not exist: the option that was meant, or all that there are. */
export type MeantOption<Name extends string, Known> = [Nearest<Name, Known>] extends [never]
  ? [Longer<Name, Known>] extends [never]
    ? Known & string
    : `did you mean ${Longer<Name, Known>}?`
  : `did you mean ${Nearest<Name, Known>}?`;

/**
 * `S` with the options of `Known` and no others. A type that is inferred from an object takes whatever the object has;
 * this refuses the rest of it, by name. Four options are objects of options themselves.
 */
export type Exact<S, Known> = {
  [K in keyof S]: K extends keyof Known
    ? K extends "backoff" | "mailbox" | "permissions" | "template"
      ? Exact<S[K], NonNullable<Known[K]>>
      : S[K]
    : NoSuchOption<K & string, MeantOption<K & string, keyof Known>>;
};
