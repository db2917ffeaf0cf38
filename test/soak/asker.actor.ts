import { type ActorRef, defineActor, isActorError } from "@mini-otp/worker-host";
import type Echo from "../fixtures/echo.actor.js";

/** Calls another actor, and tells how that ended. */
export default defineActor({
  handlers: {
    askSync(_ctx, echo: ActorRef<typeof Echo>): string {
      try {
        return String(echo.callSync("echo", "sync"));
      } catch (error) {
        return isActorError(error) ? error.code : String(error);
      }
    },
    async ask(_ctx, echo: ActorRef<typeof Echo>): Promise<string> {
      try {
        return String(await echo.call("echo", "async"));
      } catch (error) {
        return isActorError(error) ? error.code : String(error);
      }
    },
  },
});
