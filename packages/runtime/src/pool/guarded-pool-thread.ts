import type { Worker } from "node:worker_threads";
import { askUnlessLeavingBy } from "@mini-otp/worker-host/protocol/memory";
import { HAS_HEAP_STATISTICS, type HeapStatistics } from "../guard/probe.js";
import type { GuardedThread } from "../guard/watched.js";
import { OpenQuestions } from "../threads/open-questions.js";

/** A thread of piscina's as the guard sees it. */
export function guardedThread(worker: Worker, threadId: number, attention: Int32Array): GuardedThread {
  const { terminate } = worker;
  const questions = new OpenQuestions();
  let answered: Promise<void> | undefined;
  // Piscina ends threads too. An ending thread must not be asked anything (see attention.ts), and it ends when it has
  // answered.
  worker.terminate = async () => {
    answered ??= new Promise((resolve) => questions.whenAnswered(resolve));
    await answered;
    return terminate.call(worker);
  };
  return {
    threadId,
    ask: (ask) => {
      if (answered !== undefined) return undefined;
      const answer = askUnlessLeavingBy(attention, threadId, ask);
      questions.asked(answer);
      return answer;
    },
    heapStatistics: () =>
      HAS_HEAP_STATISTICS
        ? (worker as Worker & { getHeapStatistics(): Promise<HeapStatistics> }).getHeapStatistics()
        : undefined,
    loopIdleMs: () => worker.performance.eventLoopUtilization().idle,
  };
}
