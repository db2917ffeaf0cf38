import type { ActorDefinition } from "@mini-otp/worker-host";
import type { Cloneable } from "@mini-otp/worker-host/protocol/refs";
import type { AsLiteral, NotTheArgs } from "./exact.js";

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The argument that an actor's `init` takes; `A` is the type of its definition. */
export type ActorArgs<A> =
  IsAny<A> extends true
    ? any
    : A extends ActorDefinition<any, infer Args, any>
      ? [Args] extends [undefined]
        ? unknown
        : Cloneable<Args>
      : unknown;

/** An actor whose `init` asks for arguments is not started without. */
export type RequiredArgs<A> = undefined extends ActorArgs<A> ? unknown : { args: ActorArgs<A> };

declare const ACTOR_TYPE: unique symbol;

/**
 * A module's URL that knows its actor's type. What `comlinkActor` returns is one, and `new URL(…) as ActorUrl<typeof X>`
 * makes one of a URL: then the spec, its reference and `system.child(id)` have the actor's type without being told.
 */
export interface ActorUrl<A> extends URL {
  readonly [ACTOR_TYPE]?: A;
}

type TypeOfUrl<U> = U extends { readonly [ACTOR_TYPE]?: infer A } ? (unknown extends A ? never : A) : never;
type OrAny<T> = [T] extends [never] ? any : T;

/** The actor that a spec is for, as far as its type says. */
export type ActorOf<S> = S extends { readonly actor?: infer U } ? OrAny<TypeOfUrl<U>> : any;

/** A spec whose type has `args` may be one that was declared before: then they are in it. */
export type ArgsFor<S> = "args" extends keyof S ? RightArgs<S["args"], ActorOf<S>> : RequiredArgs<ActorOf<S>>;

/** A refusal of arguments that are not those of `A`. */
export type RightArgs<Args, A> = unknown extends Args
  ? unknown
  : Args extends AsLiteral<ActorArgs<A>> | undefined
    ? unknown
    : { readonly args: NotTheArgs<ActorArgs<A>> };

/** The same for a spec that a template is under. */
export type ArgsOver<S, Template, A> = "args" extends keyof S
  ? RightArgs<S["args"], A>
  : "args" extends keyof Template
    ? unknown
    : RequiredArgs<A>;
