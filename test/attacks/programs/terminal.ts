// A system that logs to the console, with an actor that logs, throws and prints what a terminal would act on.
import { type ActorRef, startSystem } from "@mini-otp/runtime";
import type Scribe from "../../fixtures/scribe.actor.js";

const actor = new URL("../../fixtures/scribe.actor.js", import.meta.url);
const EVIL = "\u001b[2J\u001b]0;title\u0007\r\n2026-01-01 FATAL forged\u009b31m\u202egpj";
const { error, warn, info } = console;
const LOGGERS: Record<string, object> = { console, borrowed: { error, warn, info }, default: {} };
const logger = LOGGERS[process.argv[2]];
const system = await startSystem(process.argv[2] === "default" ? {} : { logger: logger as never });
const scribe = await system.startChild<typeof Scribe>({ id: "scribe", actor, console: "log" });
await scribe.call("log", "warn", EVIL);
await scribe.call("log", "warn", `%s and %o ${EVIL}`, EVIL, { [EVIL]: EVIL });
await scribe.call("log", "error", { [EVIL]: EVIL, nested: { [EVIL]: [EVIL] } }, EVIL, EVIL);
await scribe.call("logError", EVIL);
await scribe.call("throw", EVIL).catch(() => {});
await scribe.call("child", { bound: EVIL }, {}, EVIL);
await scribe.call("print", EVIL);
await (scribe as ActorRef).call(EVIL).catch(() => {});
await (scribe as ActorRef).cast(EVIL);
await scribe.call("log", "warn", "the last");
await system.stop({ reason: { kind: "shutdown", detail: EVIL } });
