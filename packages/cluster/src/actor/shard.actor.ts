import { type ActorContext, type ActorDefinition, ActorError, defineActor, OTHERWISE } from "@mini-otp/worker-host";
import { isEntityDefinition } from "./define-entity.js";
import { Entities, type ShardArgs } from "./entities.js";

/** One shard: the actor in which its entities live. */
const shard = defineActor({
  throws: "reply",
  async init(args: ShardArgs, ctx: ActorContext<undefined>) {
    const entity = await loaded(args.entity);
    if (isEntityDefinition(entity)) return new Entities(entity, args, ctx);
    throw new ActorError("ERR_ACTOR_MODULE", `${args.entity} has no default export made by defineEntity`, {});
  },
  handlers: {},
  info: (ctx, message: unknown) => (Array.isArray(message) ? ctx.state.info(message) : undefined),
});

async function loaded(url: string): Promise<unknown> {
  try {
    return ((await import(url)) as { default?: unknown }).default;
  } catch (error) {
    const message = `${url} cannot be loaded: ${(error as Error).message}`;
    throw new ActorError("ERR_ACTOR_MODULE", message, { tried: [url], cause: error });
  }
}

const definition: ActorDefinition<Entities, ShardArgs> = {
  ...shard,
  [OTHERWISE]: (ctx: ActorContext<Entities>, method: string, args: unknown[]) => ctx.state.handle(method, args),
};
export default definition;
