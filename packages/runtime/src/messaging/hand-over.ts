import { MessageChannel, MessagePort } from "node:worker_threads";
import type { Transferable } from "@mini-otp/worker-host/protocol/refs";

/**
 * Posts transferred objects. A port whose other end was closed while the message waited is closed too, and cannot be
 * transferred: the receiver gets another closed port instead. Calls `lost` when another object cannot be transferred.
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
    // A failed post transfers nothing: all objects are still here.
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

/** Closes transferred objects that no thread will get, so that the holders of their other ends learn of it. */
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
    // The object was transferred or closed already.
  }
}
