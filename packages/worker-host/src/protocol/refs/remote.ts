import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { Transferable } from "./actor-types.js";
import { comlink } from "./comlink-library.js";
import { outgoing, thrown, WireValue } from "./wire-value.js";

/** The method to which everything goes that is more than a call of one method: properties, paths, constructors. */
export const COMLINK_METHOD = "comlink:message";

/** `ActorRef.call`, with what of the arguments changes hands. */
export type CallMethod = (method: string, args: unknown[], transfer?: readonly Transferable[]) => Promise<unknown>;

/** comlink's message, as `wrap` posts it. */
interface ComlinkMessage {
  readonly id: string;
  readonly type: "GET" | "SET" | "APPLY" | "CONSTRUCT" | "ENDPOINT" | "RELEASE";
  readonly path?: readonly string[];
  readonly argumentList?: readonly ComlinkValue[];
  readonly value?: ComlinkValue;
}

interface ComlinkValue {
  readonly type: "RAW" | "HANDLER";
  readonly name?: string;
  readonly value: unknown;
}

const MAX_KEPT_METHODS = 256;

/** What the remotes of one reference have in common, so that a remote costs little to make. */
export class RemoteMethods {
  readonly #call: CallMethod;
  readonly #methods = new Map<string, object>();
  #wrapped: any;

  constructor(call: CallMethod) {
    this.#call = call;
  }

  /** comlink's own proxy, for what is more than a call of a method. */
  get wrapped(): any {
    this.#wrapped ??= comlink().wrap(endpointOf(this.#call) as never);
    return this.#wrapped;
  }

  method(name: string): object {
    let method = this.#methods.get(name);
    if (method === undefined) {
      method = this.#make(name);
      // A gateway may ask for names that its users choose.
      if (this.#methods.size >= MAX_KEPT_METHODS) this.#methods.clear();
      this.#methods.set(name, method);
    }
    return method;
  }

  #make(name: string): object {
    const call = this.#call;
    // A function of the old kind, since only those may stand for a constructor.
    function method(...args: unknown[]): Promise<unknown> {
      return callWith(call, name, args);
    }
    return new Proxy(method, {
      get: (_target, property) => this.wrapped[name][property],
      set: (_target, property, value) => Reflect.set(this.wrapped[name], property, value),
      construct: (_target, args) => new this.wrapped[name](...args),
    });
  }
}

/**
 * A `Comlink.Remote` whose messages go through an actor's mailbox. A method's call is made without comlink's own
 * proxies, which take several times as long as the call; all else is comlink's.
 */
export function createRemote(methods: RemoteMethods): object {
  let released = false;
  function root(): void {}
  return new Proxy(root, {
    get: (_target, property) => {
      if (released) throw new Error("Proxy has been released and is not useable");
      if (typeof property === "string") {
        // A promise resolved with a remote asks it for `then`; it is no promise.
        return property === "then" ? undefined : methods.method(property);
      }
      // The mailbox is not the remote's to close, and what was called before still settles.
      if (property === comlink().releaseProxy) {
        return () => {
          released = true;
        };
      }
      return methods.wrapped[property];
    },
    set: (_target, property, value) => Reflect.set(methods.wrapped, property, value),
    apply: (_target, _this, args) => methods.wrapped(...args),
    construct: (_target, args) => new methods.wrapped(...args),
  });
}

function callWith(call: CallMethod, method: string, args: unknown[]): Promise<unknown> {
  let wired = args;
  let transfer: Transferable[] | undefined;
  for (let i = 0; i < args.length; i++) {
    const out = outgoing(args[i]);
    if (out === undefined) continue;
    if (wired === args) wired = [...args];
    wired[i] = out.value;
    transfer = [...(transfer ?? []), ...out.transfer];
  }
  return call(method, wired, transfer);
}

/** comlink's endpoint on a mailbox: each message a call, each answer its reply or its error. */
function endpointOf(call: CallMethod) {
  let listener: (event: { readonly data: unknown }) => void = () => {};
  return {
    addEventListener: (_type: string, listen: typeof listener) => {
      listener = listen;
    },
    removeEventListener: () => {},
    postMessage: (message: ComlinkMessage, transfer?: Transferable[]) => {
      const { id } = message;
      deliver(call, message, transfer).then(
        (value) => listener({ data: { id, type: "RAW", value } }),
        (error: unknown) => listener({ data: { id, ...thrown(error) } }),
      );
    },
  };
}

async function deliver(call: CallMethod, message: ComlinkMessage, transfer?: readonly Transferable[]) {
  const { type, path = [], argumentList = [], value } = message;
  const args = (value === undefined ? argumentList : [value]).map(sent);
  if (type === "RELEASE") return undefined;
  if (type === "ENDPOINT") return portTo(call);
  if (type === "APPLY" && path.length === 1) return call(path[0], args, transfer);
  return call(COMLINK_METHOD, [type, path, ...args], transfer);
}

function sent({ type, name, value }: ComlinkValue): unknown {
  return type === "HANDLER" ? new WireValue(name ?? "", value) : value;
}

/** A port that answers as the remote does, for another thread's `Comlink.wrap`. */
function portTo(call: CallMethod): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port2.on("message", (message: ComlinkMessage) => {
    const { id, argumentList = [] } = message;
    const ports = argumentList.filter(({ name }) => name === "proxy").map(({ value }) => value as MessagePort);
    deliver(call, message, ports).then(
      (value) => port2.postMessage({ id, type: "RAW", value }),
      ({ name, message: text, stack }: Error) =>
        port2.postMessage({
          id,
          type: "HANDLER",
          name: "throw",
          value: { isError: true, value: { name, message: text, stack } },
        }),
    );
    if (message.type === "RELEASE") port2.close();
  });
  // The thread may end although another thread has this port.
  port2.unref();
  return port1;
}
