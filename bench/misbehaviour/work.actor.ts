import { defineActor } from "@mini-otp/worker-host";
import { WORK } from "./work.js";

export default defineActor({
  handlers: {
    ok: () => WORK.ok(),
    neighbour: () => WORK.neighbour(),
    map: () => WORK.map(),
    loop: () => WORK.loop(),
    exit: () => WORK.exit(),
    rejection: () => WORK.rejection(),
  },
});
