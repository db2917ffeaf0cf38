import type { ToActor, ToMain } from "@mini-otp/worker-host/protocol/port";
import { encoded } from "@mini-otp/worker-host/protocol/values";
import type { ActorHost } from "./actor-host.js";

/** Does for an actor what its thread asks of main. What it says of its own life is not for here. */
export function serve<A extends { post(message: ToActor): void }>(host: ActorHost<A>, actor: A, message: ToMain): void {
  switch (message.type) {
    case "run_task":
      return host.runTaskFor(actor, message);
    case "abort_task":
      return host.abortTaskOf(actor, message.request);
    case "whereis": {
      const ref = encoded(host.outbox.codec.encodeValue(host.whereis(message.name)));
      return actor.post({ type: "found", ref });
    }
    case "monitor":
    case "demonitor":
    case "link":
    case "unlink":
    case "trap_exit":
    case "exit":
      return host.signal(actor, message);
    case "claim":
      return host.claim(actor, message.owner, message.number);
    case "parcel":
    case "parcel_lost":
    case "mailbox_full":
    case "dropped":
    case "detour":
      return host.heed(message);
  }
}
