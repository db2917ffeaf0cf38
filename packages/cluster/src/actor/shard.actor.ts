import { type ActorContext, type ActorDefinition, defineActor, OTHERWISE } from "@mini-otp/worker-host";
import { Entities, type ShardArgs } from "./entities.js";
import { loadEntity } from "./load-entity.js";

/** One shard: the actor in which its entities live. */
const shard = defineActor({
  throws: "reply",
  async init(args: ShardArgs, ctx: ActorContext<undefined>) {
    return new Entities(await loadEntity(args.entity), args, ctx);
  },
  handlers: {},
  info: (ctx, message: unknown) => (Array.isArray(message) ? ctx.state.info(message) : undefined),
});

const definition: ActorDefinition<Entities, ShardArgs> = {
  ...shard,
  [OTHERWISE]: (ctx: ActorContext<Entities>, method: string, args: unknown[]) => ctx.state.handle(method, args),
};
export default definition;
