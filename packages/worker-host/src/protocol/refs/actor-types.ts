import type { Blob } from "node:buffer";
import type { KeyObject, X509Certificate } from "node:crypto";
import type { BlockList, SocketAddress } from "node:net";
import type { MessagePort } from "node:worker_threads";
// biome-ignore lint/suspicious/noTsIgnore: where comlink is not installed its types are `any`; where it is there is no error to expect.
/** @ts-ignore */
import type { Remote as ComlinkRemote, Local, ProxyMarked, ProxyMethods } from "comlink";

/*
 * What a reference knows of its actor at compile time. `A` is the type of the actor's definition
 * (`typeof Hasher` for its default export), or anything with `handlers`; without one, any method goes.
 */
type Handlers<A> = A extends { readonly handlers: infer H } ? H : never;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Shown by the compiler where the type that was named is no actor's: that is the type of the actor's definition. */
export interface NotAnActor<Named extends string> {
  readonly "the type of an actor is that of its definition": Named;
}

/** Of a type that is no actor's, a spec that nothing is assignable to: how the actor's type is named. */
export type WithTypeof<A, Named extends string> = unknown extends A
  ? unknown
  : A extends { readonly handlers: any }
    ? unknown
    : { readonly actor: NotAnActor<Named> };

/** The names an actor answers to. */
export type MethodName<A> = IsAny<A> extends true ? string : keyof Handlers<A> & string;

/** A method's arguments, without the context. */
export type MethodArgs<A, M> =
  IsAny<A> extends true
    ? any[]
    : M extends keyof Handlers<A>
      ? Handlers<A>[M] extends (context: any, ...args: infer P) => unknown
        ? P
        : never
      : never;

/** What a call of this method resolves to; `never` for one that answers with a stream, which cannot be called. */
export type MethodReply<A, M> =
  IsAny<A> extends true ? any : IsAny<Answer<A, M>> extends true ? any : Reply<Answer<A, M>>;

/** What the handler returns, once it has. */
type Answer<A, M> = M extends keyof Handlers<A>
  ? Handlers<A>[M] extends (...args: any[]) => infer R
    ? Awaited<R>
    : never
  : never;

/** A handler that returns its `DeferredReply` replies with what that will be given. */
type Reply<R> = R extends DeferredBrand<infer T> ? Reply<T> : R extends Streamed ? never : R;

/** What a handler returns to answer with a stream. */
type Streamed = AsyncIterable<unknown> | Generator<unknown, unknown, never> | ReadableStream;

/** The methods that answer with a stream. */
export type StreamName<A> =
  IsAny<A> extends true
    ? string
    : { [M in MethodName<A>]: [StreamItem<A, M>] extends [never] ? never : M }[MethodName<A>];

/** Shown by the compiler beside the names of the streams: how a handler that replies once is asked. */
export interface RepliesOnce<AskedBy extends string> {
  readonly "a handler that replies once is asked with": AskedBy;
}

/** Shown by the compiler beside the name of a handler that answers with a stream, where a reply is asked for. */
export interface AnswersWithStream<ReadBy extends string> {
  readonly "this handler answers with a stream, which is read with": ReadBy;
}

/** What the name of a method is beside itself where a message has one reply at most. */
export type Unstreamed<A, M> = [MethodReply<A, M>] extends [never]
  ? [StreamItem<A, M>] extends [never]
    ? unknown
    : AnswersWithStream<"ref.stream(method)">
  : unknown;

/** The items of the stream that this method answers with; `never` for a method that answers with something else. */
export type StreamItem<A, M> =
  IsAny<A> extends true ? any : IsAny<Answer<A, M>> extends true ? any : ItemOf<Answer<A, M>>;

/** The items of what a handler returns, if that is a stream. */
export type ItemOf<R> =
  R extends DeferredBrand<infer T>
    ? ItemOf<T>
    : R extends AsyncIterable<infer T>
      ? T
      : R extends Generator<infer T, unknown, never>
        ? T
        : R extends ReadableStream<infer T>
          ? T
          : never;

declare const DEFERRED: unique symbol;

/** Marks what stands for a reply that comes later. At compile time only. */
export interface DeferredBrand<T> {
  readonly [DEFERRED]?: T;
  fail(error: Error): void;
}

/** Shown by the compiler in the place of a type that no message can carry. */
export interface NotCloneable<What extends string> {
  readonly "cannot be sent": What;
}

type Primitive = string | number | bigint | boolean | null | undefined;

/** A reference to an actor, which is a message value although it has methods. */
interface Reference {
  readonly address: number;
  readonly uid: number;
  readonly tryCast: unknown;
  readonly castSync: unknown;
}

/** The same of a pool. */
interface PoolReference {
  readonly id: string;
  readonly uid: number;
  readonly run: unknown;
  readonly toJSON: unknown;
}

/** Carried whole, whatever methods they have. */
type CarriedWhole =
  | Date
  | RegExp
  | Error
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | MessagePort
  | Blob
  | KeyObject
  | X509Certificate
  | BlockList
  | SocketAddress
  | Reference
  | PoolReference;

/**
 * `T` as a message carries it: `T` itself for data, and for the parts of it that no message can carry (functions,
 * symbols, objects with methods, WeakMaps, promises) a type that nothing is assignable to.
 */
export type Cloneable<T> =
  IsAny<T> extends true
    ? T
    : unknown extends T
      ? T
      : T extends Primitive | CarriedWhole
        ? T
        : T extends symbol
          ? NotCloneable<"a symbol cannot be sent in a message">
          : T extends (...args: never[]) => unknown
            ? NotCloneable<"a function cannot be sent in a message">
            : T extends abstract new (
                  ...args: never[]
                ) => unknown
              ? NotCloneable<"a class cannot be sent in a message">
              : T extends PromiseLike<unknown>
                ? NotCloneable<"a promise cannot be sent in a message: forgotten await?">
                : T extends URL
                  ? NotCloneable<"a URL cannot be sent in a message: send its href">
                  : T extends ReadonlyMap<infer K, infer V>
                    ? T extends Map<any, any>
                      ? Map<Cloneable<K>, Cloneable<V>>
                      : ReadonlyMap<Cloneable<K>, Cloneable<V>>
                    : T extends ReadonlySet<infer V>
                      ? T extends Set<any>
                        ? Set<Cloneable<V>>
                        : ReadonlySet<Cloneable<V>>
                      : T extends object
                        ? { [K in keyof T]: Cloneable<T[K]> }
                        : T;

/** The arguments given, `P`, as far as they can be sent. */
export type CloneableArgs<P extends readonly unknown[]> = { [I in keyof P]: Cloneable<P[I]> };

/** What a caller gives where the actor gets a remote of it. */
type GivenAs<P> = P extends ProxyMethods
  ? Local<P> & ProxyMarked
  : P extends (...args: never[]) => unknown
    ? P & ProxyMarked
    : Cloneable<P>;

type GivenArgs<P extends readonly unknown[]> = IsAny<ProxyMarked> extends true ? P : { [I in keyof P]: GivenAs<P[I]> };

/** comlink's types make nothing, not even a promise, of a method that never returns. */
type OrUndefined<R> = [R] extends [never] ? undefined : R;

/** An actor's methods as a caller sees them. */
export type Methods<A> =
  IsAny<A> extends true
    ? Record<string, (...args: any[]) => any>
    : {
        // Over the handlers themselves, so that an editor finds their documentation.
        [M in keyof Handlers<A>]: (...args: GivenArgs<MethodArgs<A, M>>) => OrUndefined<MethodReply<A, M>>;
      };

declare const EXPOSED: unique symbol;

/** The actor that is made of what a module exposes with comlink. At compile time only. */
export interface ExposedActor<T> {
  readonly [EXPOSED]: T;
  readonly handlers: {
    readonly [M in keyof T as T[M] extends (...args: never[]) => unknown ? M : never]: T[M] extends (
      ...args: infer P
    ) => infer R
      ? (ctx: unknown, ...args: P) => R
      : never;
  };
}

/** What `proxy()` returns. */
export type Remote<A> =
  IsAny<A> extends true
    ? any
    : A extends { readonly [EXPOSED]: infer T }
      ? ComlinkRemote<T>
      : ComlinkRemote<Methods<A>>;

/** `"full"`: the mailbox has no room now; `"closed"`: the actor is stopping or gone. */
export type CastResult = "ok" | "full" | "closed";

/** What changes hands instead of being copied. */
export type Transferable = ArrayBuffer | MessagePort;
