import { MessageChannel, MessagePort } from "node:worker_threads";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";

/**
 * Posts what changes hands. A port whose other end was closed while it waited here is closed itself, and no thread takes it
 * any more: the receiver gets another one that is closed. `lost` is called when something else has gone.
 */
export function handOver(
  transferred: readonly Transferable[],
  post: (transferred: readonly Transferable[]) => void,
  lost: () => void,
): void {
  try {
    post(transferred);
    return;
  } catch {
    // Nothing has changed hands yet.
  }
  try {
    post(transferred.map(inOrder));
  } catch {
    release(transferred);
    lost();
  }
}

function inOrder(object: Transferable): Transferable {
  try {
    return structuredClone(object, { transfer: [object] as never });
  } catch (error) {
    if (object instanceof MessagePort) return closedPort();
    throw error;
  }
}

function closedPort(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
}

interface Closable {
  close?(): unknown;
  cancel?(): unknown;
  abort?(): unknown;
  readonly readable?: Closable;
  readonly writable?: Closable;
}

/** No thread gets these: who has the other end is told, and a file is closed. */
export function release(transferred: readonly Transferable[]): void {
  for (const object of transferred as unknown as readonly Closable[]) {
    for (const end of [object, object.readable, object.writable]) void releaseOne(end);
  }
}

async function releaseOne(end: Closable | undefined): Promise<void> {
  try {
    if (typeof end?.cancel === "function") await end.cancel();
    else if (typeof end?.abort === "function") await end.abort();
    else if (typeof end?.close === "function") await end.close();
  } catch {
    // It was in other hands, or closed already.
  }
}
