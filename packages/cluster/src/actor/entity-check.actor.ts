import { defineActor } from "@mini-otp/worker-host";
import type { ShardArgs } from "./entities.js";
import { loadEntity } from "./load-entity.js";

/** Starts where the entity's module loads, and does nothing. */
export default defineActor({
  async init({ entity }: Pick<ShardArgs, "entity">) {
    await loadEntity(entity);
  },
  handlers: {},
});
