import type { Session } from "node:inspector";
import { createRequire } from "node:module";

// Taken before the application can change them.
const { parse, stringify } = JSON;

/** The answer of a worker's session. Near a worker's end it can be anything. */
interface Answer {
  readonly id?: number;
  readonly result?: unknown;
}

type Inspector = typeof import("node:inspector");

const require = createRequire(import.meta.url);
/** Node can be built without the inspector. */
const inspector = ((): Inspector | undefined => {
  try {
    return require("node:inspector") as Inspector;
  } catch {
    return undefined;
  }
})();
/**
 * `workerId` counts attachments, in the order in which the threads started; only the title, `[worker 3] name`, has the
 * thread id.
 */
const THREAD_ID = /^\[worker (\d+)\]/;
/** The answer of a worker that is ending or cannot be reached. */
const NO_ANSWER = undefined;

/** True while a debugger can stop threads at will. */
export function debuggerAttached(): boolean {
  return inspector?.url() !== undefined;
}

/**
 * Evaluates expressions in running workers, even busy ones, through Node's inspector. It attaches to the workers that
 * run now, and to every later one when it starts. A worker with a permission model has no inspector.
 */
export class WorkerInspector {
  readonly #session: Session;
  readonly #sessionIds = new Map<number, string>();
  readonly #waiting = new Map<number, { readonly sessionId: string; settle(value: unknown): void }>();
  #lastId = 0;

  /** Throws where Node has no inspector, or main may not use it. */
  constructor() {
    if (inspector === undefined) throw new TypeError("this Node has no inspector");
    this.#session = new inspector.Session();
    this.#session.connect();
    this.#session.on("NodeWorker.attachedToWorker", ({ params }) => {
      const threadId = THREAD_ID.exec(params.workerInfo.title)?.[1];
      if (threadId !== undefined) this.#sessionIds.set(Number(threadId), params.sessionId);
    });
    this.#session.on("NodeWorker.detachedFromWorker", ({ params }) => this.#detached(params.sessionId));
    this.#session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => this.#received(params.message));
    this.#session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  }

  reaches(threadId: number): boolean {
    return this.#sessionIds.has(threadId);
  }

  /** Resolves to true as soon as it reaches the worker, and to false if that takes longer than `timeoutMs`. */
  attaches(threadId: number, timeoutMs: number): Promise<boolean> {
    if (this.reaches(threadId)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (attached: boolean) => {
        clearTimeout(timer);
        this.#session.off("NodeWorker.attachedToWorker", onAttached);
        resolve(attached);
      };
      const onAttached = () => {
        if (this.reaches(threadId)) settle(true);
      };
      const timer = setTimeout(settle, timeoutMs, false).unref();
      this.#session.on("NodeWorker.attachedToWorker", onAttached);
    });
  }

  /** The value of `expression` in the worker; undefined when there is none. */
  async evaluate(threadId: number, expression: string): Promise<unknown> {
    const answer = await this.request(threadId, "Runtime.evaluate", { expression, silent: true });
    return (answer as { result?: { value?: unknown } } | undefined)?.result?.value;
  }

  /** The answer of the worker's inspector; undefined when it does not answer, or answers with an error. */
  request(threadId: number, method: string, params: object = {}): Promise<unknown> {
    const sessionId = this.#sessionIds.get(threadId);
    if (sessionId === undefined) return Promise.resolve(NO_ANSWER);
    const id = ++this.#lastId;
    return new Promise((settle) => {
      this.#waiting.set(id, { sessionId, settle });
      try {
        const message = stringify({ id, method, params });
        this.#session.post("NodeWorker.sendMessageToWorker", { sessionId, message }, (error) => {
          if (error !== null) this.#settle(id, NO_ANSWER);
        });
      } catch {
        // The application has added a `toJSON` to all objects. Node's own inspector stops at it too.
        this.#settle(id, NO_ANSWER);
      }
    });
  }

  #received(message: string): void {
    let answer: Answer;
    try {
      answer = parse(message) as Answer;
    } catch {
      return;
    }
    if (answer.id !== undefined) this.#settle(answer.id, answer.result);
  }

  #settle(id: number, value: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.settle(value);
  }

  #detached(gone: string): void {
    for (const [threadId, sessionId] of this.#sessionIds) if (sessionId === gone) this.#sessionIds.delete(threadId);
    for (const [id, { sessionId }] of this.#waiting) if (sessionId === gone) this.#settle(id, NO_ANSWER);
  }
}
