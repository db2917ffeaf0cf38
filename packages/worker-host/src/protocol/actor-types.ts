import type { MessagePort } from "node:worker_threads";

/*
 * What a reference knows of its actor at compile time. `A` is the type of the actor's definition
 * (`typeof Hasher` for its default export), or anything with `handlers`; without one, any method goes.
 */
type Handlers<A> = A extends { readonly handlers: infer H } ? H : never;

type Any<A> = 0 extends 1 & A ? true : false;

/** The names an actor answers to. */
export type MethodName<A> = Any<A> extends true ? string : keyof Handlers<A> & string;

/** A method's arguments, without the context. */
export type MethodArgs<A, M> =
  Any<A> extends true
    ? any[]
    : M extends keyof Handlers<A>
      ? Handlers<A>[M] extends (context: any, ...args: infer P) => unknown
        ? P
        : never
      : never;

/** What a call of this method resolves to. */
export type MethodReply<A, M> =
  Any<A> extends true
    ? any
    : M extends keyof Handlers<A>
      ? Handlers<A>[M] extends (...args: any[]) => infer R
        ? Awaited<R>
        : never
      : never;

/** What `proxy()` returns. */
export type Remote<A> =
  Any<A> extends true
    ? Record<string, (...args: any[]) => Promise<any>>
    : { readonly [M in MethodName<A>]: (...args: MethodArgs<A, M>) => Promise<MethodReply<A, M>> };

/** `"full"`: the mailbox has no room now; `"closed"`: the actor is stopping or gone. */
export type CastResult = "ok" | "full" | "closed";

/** What changes hands instead of being copied. */
export type Transferable = ArrayBuffer | MessagePort;
