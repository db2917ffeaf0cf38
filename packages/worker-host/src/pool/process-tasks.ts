import { say } from "../process/out-pipe.js";
import type { FromPoolProcess, PoolProcessData, TaskFigures, ToPoolProcess } from "../protocol/port/pool-process.js";
import { isTaskFailure, type TaskFailure, type TaskMessage, type ToStreamTask } from "../protocol/port/pool-task.js";
import { encodeForeign, type TaskValue } from "../protocol/values/encoded.js";
import { checkLeaves, encodeTask } from "../protocol/values/task-value.js";
import { announceExits } from "./announce-exits.js";
import { movedResult } from "./moved-result.js";
import type { StreamPort } from "./stream-task.js";
import { TaskRunner } from "./task-runner.js";
import { giveWorkerData } from "./worker-data.js";

const NONE: TaskFigures = { tookUs: 0, grewKb: 0, memoryKb: 0 };
const NOTHING: TaskValue = { content: { primitive: undefined }, transferred: [] };

/** The program of a pool's process: runs what main sends, and sends what becomes of it. */
export function runTasks(
  { id, moduleUrls, workerData }: Omit<PoolProcessData, "capMb">,
  onMessage: (listener: (message: unknown) => void) => void,
): void {
  const send = (message: FromPoolProcess): void => say(message);
  let uncaught: unknown;
  const figures = new Map<number, TaskFigures>();
  const streams = new Map<number, TaskPort>();
  const exit = announceExits(
    (code) => send({ type: "leaving", code, ...(uncaught === undefined ? {} : { error: encodeUncaught() }) }),
    () => send({ type: "stays" }),
  );
  process.on("uncaughtExceptionMonitor", (error) => {
    const isCaught = process.listenerCount("uncaughtException") > 0 || process.hasUncaughtExceptionCaptureCallback();
    if (!isCaught) uncaught = { error };
  });
  giveWorkerData(workerData);
  const runner = new TaskRunner<TaskValue>(id, moduleUrls, {
    called() {},
    measured: (place, tookUs, grewKb, memoryKb) => void figures.set(place, { tookUs, grewKb, memoryKb }),
    resultOf(result, codec) {
      const moved = movedResult(result);
      const value = encodeTask(codec, id, moved === undefined ? result : moved.value, moved?.list ?? [], "result");
      checkLeaves(codec, id, value, "result");
      return value;
    },
  });
  const encodeUncaught = () => encodeForeign(runner.codec, (uncaught as { error: unknown }).error);

  const figuresOf = (number: number): TaskFigures => {
    const found = figures.get(number) ?? NONE;
    figures.delete(number);
    streams.delete(number);
    return found;
  };
  const ended = (number: number, value: TaskValue = NOTHING): void =>
    send({ type: "ended", number, figures: figuresOf(number), value });
  const failed = (number: number, error: unknown): void => {
    if (!isTaskFailure(error)) throw error;
    send({ type: "failed", number, figures: figuresOf(number), failure: error });
  };
  const run = ({ number, name, task }: Extract<ToPoolProcess, { type: "task" }>): void => {
    const message: TaskMessage = { name, task: task.isStream ? withPort(task, number) : task, place: number };
    let result: ReturnType<typeof runner.run>;
    try {
      result = runner.run(message);
    } catch (error) {
      failed(number, error);
      return;
    }
    if (result instanceof Promise) {
      result.then(
        (value) => ended(number, value),
        (error: unknown) => failed(number, error),
      );
    } else {
      ended(number, result);
    }
  };
  /** In the place of main's port, which cannot leave main. */
  const withPort = (task: TaskValue, number: number): TaskValue => {
    const port = new TaskPort((message) => send({ type: "from_stream", number, message }));
    streams.set(number, port);
    return { ...task, transferred: [...task.transferred, port as never] };
  };
  onMessage((order) => {
    const message = order as ToPoolProcess;
    if (message.type === "task") run(message);
    else if (message.type === "to_stream") streams.get(message.number)?.listener(message.message);
    else if (message.type === "leave") exit(0);
  });
  runner.loading.then(
    () => send({ type: "loaded" }),
    (error: unknown) => send({ type: "not_loaded", failure: error as TaskFailure }),
  );
}

class TaskPort implements StreamPort {
  readonly postMessage: StreamPort["postMessage"];
  listener: (message: ToStreamTask) => void = () => {};

  constructor(postMessage: StreamPort["postMessage"]) {
    this.postMessage = postMessage;
  }

  on(_event: "message", listener: (message: ToStreamTask) => void): void {
    this.listener = listener;
  }

  close(): void {}
}
