import type { MessagePort } from "node:worker_threads";
import { ActorError } from "../errors/errors.js";
import type { Transferable } from "./actor-types.js";
import { type ComlinkLibrary, comlink, loadedComlink } from "./comlink-library.js";

/** In the place of a value for which one of comlink's transfer handlers stands in. */
export class WireValue {
  readonly name: string;
  value: unknown;

  constructor(name: string, value: unknown) {
    this.name = name;
    this.value = value;
  }
}

/** A value as it is sent, and what of it changes hands. */
export class Outgoing {
  readonly value: unknown;
  readonly transfer: readonly Transferable[];

  constructor(value: unknown, transfer: readonly Transferable[]) {
    this.value = value;
    this.transfer = transfer;
  }
}

/** False for a Proxy that cannot be asked. */
export function isOutgoing(value: unknown): value is Outgoing {
  try {
    return value instanceof Outgoing;
  } catch {
    return false;
  }
}

/** What comlink makes of a value that is to be sent: of `Comlink.proxy` and `Comlink.transfer`. Undefined: nothing. */
export function outgoing(value: unknown): Outgoing | undefined {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  const library = loadedComlink();
  if (library === undefined) return undefined;
  for (const [name, handler] of library.transferHandlers) {
    if (name === "throw" || !handler.canHandle(value)) continue;
    const [serialized, transfer] = handler.serialize(value) as [unknown, Transferable[]];
    return new Outgoing(new WireValue(name, serialized), transfer);
  }
  if (!mayHoldTransferables(value, { left: MAX_NODES })) return undefined;
  const transfer = transferListOf(library, value);
  return transfer.length === 0 ? undefined : new Outgoing(value, transfer);
}

/** What stood in for a value becomes what the receiver has of it. */
export function incoming(value: unknown): unknown {
  if (!(value instanceof WireValue)) return value;
  const library = comlink();
  if (value.name === "proxy") return library.wrap(settlingEndpoint(value.value as MessagePort) as never);
  const handler = library.transferHandlers.get(value.name);
  if (handler === undefined)
    throw new TypeError(`no comlink transfer handler named ${JSON.stringify(value.name)} in this thread`);
  return handler.deserialize(value.value);
}

/** Beyond this many objects it is cheaper to ask than to look. */
const MAX_NODES = 64;

/** False for plain data without bytes: nothing in it could change hands. */
function mayHoldTransferables(value: object, budget: { left: number }): boolean {
  if (--budget.left < 0) return true;
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null) return true;
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === "object" && item !== null && mayHoldTransferables(item, budget)) return true;
  }
  return false;
}

interface ComlinkEvent {
  readonly data: unknown;
}

let tapped: Transferable[] = [];
let tap: Record<string, unknown> | undefined;

/** The list that `Comlink.transfer` has put aside for a value. comlink shows it to an endpoint only: so this is one. */
function transferListOf(library: ComlinkLibrary, value: unknown): Transferable[] {
  if (tap === undefined) {
    let listener: (event: ComlinkEvent) => void = () => {};
    tap = library.wrap({
      addEventListener: (_type: string, listen: (event: ComlinkEvent) => void) => {
        listener = listen;
      },
      removeEventListener: () => {},
      postMessage: ({ id }: { id: string }, transfer: Transferable[] = []) => {
        tapped = transfer;
        listener({ data: { id, type: "RAW" } });
      },
    } as never) as unknown as Record<string, unknown>;
  }
  tap.value = value;
  const list = tapped;
  tapped = [];
  return list;
}

/** A port as comlink's endpoint, but calls over it settle when the other side has gone: with ERR_NOPROC. */
function settlingEndpoint(port: MessagePort) {
  const waiting = new Set<string>();
  let listener: (event: ComlinkEvent) => void = () => {};
  let closed = false;
  const settled = (id: string): void => {
    waiting.delete(id);
    // Only what waits for an answer holds the thread.
    if (waiting.size === 0) port.unref();
  };
  const fail = (id: string): void => {
    const error = new ActorError("ERR_NOPROC", "the thread that this remote leads to has ended");
    listener({ data: { id, ...thrown(error) } });
  };
  port.on("message", (data: { id: string }) => {
    settled(data.id);
    listener({ data });
  });
  port.on("close", () => {
    closed = true;
    for (const id of waiting) fail(id);
    waiting.clear();
  });
  port.unref();
  return {
    addEventListener: (_type: string, listen: (event: ComlinkEvent) => void) => {
      listener = listen;
    },
    removeEventListener: () => {},
    postMessage: (message: { id: string }, transfer: Transferable[] = []) => {
      if (closed) {
        queueMicrotask(() => fail(message.id));
        return;
      }
      waiting.add(message.id);
      port.ref();
      port.postMessage(message, transfer);
    },
  };
}

/** comlink's answer that makes its caller throw this very value. */
export function thrown(error: unknown) {
  return { type: "HANDLER", name: "throw", value: { isError: false, value: error } };
}
