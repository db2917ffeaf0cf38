import { type ActorRef, isActorError } from "@mini-otp/runtime";
import type { Item } from "./item.js";
import type Worker from "./worker.actor.js";

/** True once a worker has accepted the item; false when none does any more. A promise while all are full. */
export type Take = (item: Item) => boolean | Promise<boolean>;

/** Hands each item to the next worker with room in its mailbox. Nothing is kept here. */
export function intake(workers: readonly ActorRef<typeof Worker>[]): Take {
  let turn = 0;
  const next = () => workers[turn++ % workers.length];

  const waitForRoom = async (item: Item): Promise<boolean> => {
    for (;;) {
      try {
        await next().cast("take", item);
        return true;
      } catch (error) {
        if (isActorError(error, "ERR_NOPROC")) return false;
        if (!isActorError(error, "ERR_MAILBOX_FULL")) throw error;
      }
    }
  };

  return (item) => {
    for (let i = 0; i < workers.length; i++) {
      if (next().tryCast("take", item) === "ok") return true;
    }
    return waitForRoom(item);
  };
}
