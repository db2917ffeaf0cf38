import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";

/** What a thread starts with. */
export interface Birth {
  readonly ports: readonly MessagePort[];
}

/** For threads that wait in `Atomics.wait` instead of their event loop. */
export interface PollingBirth extends Birth {
  readonly shared: Int32Array;
}

export function startThread(file: string, ports: readonly MessagePort[], shared?: Int32Array): Worker {
  const birth: Birth | PollingBirth = shared === undefined ? { ports } : { ports, shared };
  return new Worker(new URL(file, import.meta.url), { workerData: birth, transferList: [...ports] });
}

/** A channel from each of `from` threads to each of `to` threads: the ports of either side, thread by thread. */
export function channels(from: number, to: number): { from: MessagePort[][]; to: MessagePort[][] } {
  const ends: { from: MessagePort[][]; to: MessagePort[][] } = {
    from: Array.from({ length: from }, () => []),
    to: Array.from({ length: to }, () => []),
  };
  for (const ofSender of ends.from) {
    for (const ofReceiver of ends.to) {
      const { port1, port2 } = new MessageChannel();
      ofSender.push(port1);
      ofReceiver.push(port2);
    }
  }
  return ends;
}

/** Resolves with the thread's next message. */
export function nextMessage<T = unknown>(thread: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: T): void => {
      thread.off("error", reject);
      resolve(message);
    };
    thread.once("message", onMessage);
    thread.once("error", reject);
  });
}

/** Sends an order and resolves with what the thread answers. */
export function ask<T = unknown>(thread: Worker, order: unknown): Promise<T> {
  const answer = nextMessage<T>(thread);
  thread.postMessage(order);
  return answer;
}

export async function stopThreads(threads: readonly Worker[]): Promise<void> {
  await Promise.all(threads.map((thread) => thread.terminate()));
}
