/** Any of the fields. One that is undefined has its default, as one that is left out. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** All of the fields, with their defaults filled in. */
export type Filled<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
