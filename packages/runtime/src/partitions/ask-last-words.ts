import { HOOK, sharedInspector } from "../guard/probe-inspector.js";
import type { ActorThread } from "../threads/actor-thread.js";

/**
 * A thread writes 100 000 messages out in 0.12 s. One that cannot be interrupted, as some loops of Node 24 and 26, never
 * answers.
 */
const LIMIT_MS = 3_000;
/**
 * So often, and so long after each time, it has to come to a moment between two of its messages, or to be met in a member's code:
 * between two microtasks it is in neither.
 */
const MOMENTS = 10;
const MOMENT_MS = 5;

/** From now on threads can be asked: the inspector reaches a thread only some time after it has been attached. */
export function prepareToAsk(): void {
  sharedInspector();
}

/**
 * Has a thread that is about to be killed post its last words, with `weigh` also who holds its memory. Resolves when it has,
 * or cannot.
 */
export async function askLastWords(thread: ActorThread, weigh: boolean): Promise<void> {
  const inspector = sharedInspector();
  if (inspector === null) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((over) => {
    timer = setTimeout(over, LIMIT_MS).unref();
  });
  const save = (force: boolean): Promise<unknown> | undefined =>
    thread.ask(() => inspector.evaluate(thread.threadId, `${HOOK}.save(${force}, ${weigh})`));
  const asked = async (): Promise<void> => {
    if (!(await inspector.attaches(thread.threadId, LIMIT_MS))) return;
    for (let moment = 0; moment < MOMENTS; moment++) {
      if ((await save(false)) !== "later") return;
      await new Promise((passed) => setTimeout(passed, MOMENT_MS).unref());
    }
    await save(true);
  };
  await Promise.race([asked(), limit]);
  clearTimeout(timer);
}
