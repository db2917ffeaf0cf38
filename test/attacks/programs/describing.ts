// Values that are hard to describe, in all the ways that an actor or main can give them to the runtime. The first argument
// is the seed, the second how many more at random, the third that one in so many of the table is tried. Prints "lives" when everything settled, nothing escaped and a bystander never noticed.
import { isDeepStrictEqual } from "node:util";
import { isActorError, startSystem } from "@mini-otp/runtime";
import fc from "fast-check";
import pino from "pino";
import { made, type Recipe, SHAPE_NAMES } from "../fixtures/hostile.js";
import type Misfit from "../fixtures/misfit.actor.js";
import { recipes } from "../recipes.js";

const seed = Number(process.argv[2]);
const actor = new URL("../fixtures/misfit.actor.js", import.meta.url);
// Everything is formatted; nothing is kept.
const logger = pino({ level: "debug" }, { write() {} });
const system = await startSystem({ logger, intensity: 1_000_000, spares: 2 });
// A log with 300 000 bindings takes seconds on a busy machine.
const misfit = (await system.startChild<typeof Misfit>({ id: "misfit", actor, console: "log" })).with({
  timeoutMs: 60_000,
});
const bystander = await system.startChild<typeof Misfit>({ id: "bystander", actor });

const ENDING = ["stop", "throw", "reject"] as const;
const LIVING = ["log", "bind", "print"] as const;
const ways = [...ENDING, ...LIVING, "fail", "reply", "exit", "init", "stop system"] as const;
type Way = (typeof ways)[number];

function fault(way: Way, recipe: Recipe, what: string, value: unknown): never {
  console.log("seed", seed, way, JSON.stringify(recipe), what, value);
  process.exit(1);
}

async function attack(way: Way, recipe: Recipe): Promise<void> {
  const expectCode = async (call: Promise<unknown>, ...codes: string[]): Promise<void> => {
    const outcome = await call.then(
      () => "resolved",
      (error: { code?: string }) => error.code ?? String(error),
    );
    if (!codes.includes(outcome)) fault(way, recipe, "came to", outcome);
  };
  switch (way) {
    case "stop":
      await expectCode(misfit.call(way, recipe), "ERR_CALL_EXIT", "resolved");
      break;
    case "throw":
    case "reject":
      await expectCode(misfit.call(way, recipe), "ERR_CALL_EXIT");
      break;
    case "fail":
      await expectCode(misfit.call(way, recipe), "E_FAILED");
      break;
    case "reply":
      await misfit.call(way, recipe).catch(() => {});
      break;
    case "exit":
      try {
        system.exit(misfit, made(recipe) as never);
      } catch (error) {
        if (!(error instanceof TypeError)) fault(way, recipe, "threw", error);
      }
      break;
    case "init":
      await expectCode(
        system.startChild({ id: "stillborn", actor, args: { init: recipe }, restart: "temporary" }),
        "ERR_INIT_FAILED",
      );
      break;
    case "stop system": {
      const other = await startSystem({ logger });
      const stopped = other.stop({ reason: made(recipe) as never });
      const outcome = await stopped.then(
        () => "stopped",
        (error: unknown) => error,
      );
      if (outcome !== "stopped" && !(outcome instanceof TypeError)) fault(way, recipe, "rejected", outcome);
      await other.stop();
      break;
    }
    default:
      await expectCode(misfit.call(way, recipe), "resolved");
  }
  await expectCode(ready(), "resolved");
}

/** The next incarnation may be on its way. */
async function ready(): Promise<number> {
  try {
    return await misfit.call("ready");
  } catch (error) {
    if (isActorError(error, "ERR_CALL_EXIT")) return ready();
    throw error;
  }
}

const table = ways.flatMap((way) => SHAPE_NAMES.map((shape) => ({ way, shape })));
const oneIn = Number(process.argv[4]);
for (const [i, { way, shape }] of table.entries())
  if ((i + seed) % oneIn === 0) await attack(way, { shape, kind: "shutdown", text: "\u001b[2J\n" });
const random = fc.sample(fc.tuple(fc.constantFrom(...ways), recipes), { seed, numRuns: Number(process.argv[3]) });
for (const [way, recipe] of random) await attack(way, recipe);
const lived = await bystander.call("ready");
if (!isDeepStrictEqual(lived, 1)) fault("reply", { shape: "plain" }, "the bystander is in its life", lived);
await system.stop();
console.log("lives");
