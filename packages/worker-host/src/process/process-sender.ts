import { ActorError } from "../protocol/errors/errors.js";
import type { Addressee, ProcessRequest } from "../protocol/port/process.js";
import type { RunOptions, Sender, TaskOptions } from "../protocol/refs/actor-ref.js";
import type { CastResult, Transferable } from "../protocol/refs/actor-types.js";
import type { RefOptions } from "../protocol/refs/ref-options.js";
import { callAborted } from "../protocol/refs/refusal.js";
import type { StreamReader } from "../protocol/refs/stream-reader.js";
import { FIRST_WINDOW } from "../protocol/refs/stream-window.js";
import { checkTransferList, uncloneableFor } from "../protocol/refs/transfer-list.js";
import { whenAborted } from "../protocol/refs/when-aborted.js";
import { Codec } from "../protocol/values/codec.js";
import { type Encoded, encoded } from "../protocol/values/encoded.js";
import { checkLeavesMemory } from "../protocol/values/task-value.js";
import type { ThreadChannel } from "./thread-channel.js";

/** What the references in an actor's process send through: the actor's thread, which has the connections. */
export class ProcessSender implements Sender {
  readonly codec: Codec;
  readonly #channel: ThreadChannel;
  /** Of a router's reference: see Addressee. */
  readonly #keyHash: number | null | undefined;

  constructor(channel: ThreadChannel, codec?: Codec, keyHash?: number | null) {
    this.#channel = channel;
    this.#keyHash = keyHash;
    this.codec = codec ?? new Codec(this);
    channel.use(this.codec);
  }

  connect(address: number, uid: number, id: string): Addressee {
    return this.#keyHash === undefined ? { address, uid, id } : { address, uid, id, keyHash: this.#keyHash };
  }

  /** A router's reference chooses its member in the thread. */
  routing(keyHash: number | undefined): Sender {
    return new ProcessSender(this.#channel, this.codec, keyHash ?? null);
  }

  call(to: Addressee, method: string, args: unknown[], options: RefOptions): Promise<unknown> {
    return this.#begin("call", to, method, args, options);
  }

  async cast(to: Addressee, method: string, args: unknown[], options: RefOptions): Promise<void> {
    await this.#begin("cast", to, method, args, options);
  }

  async send(to: Addressee, message: unknown, options: RefOptions): Promise<void> {
    await this.#begin("send", to, undefined, [message], options);
  }

  callSync(to: Addressee, method: string, args: unknown[], options: RefOptions): unknown {
    return this.#channel.ask(this.#request("callSync", to, method, args, options));
  }

  castSync(to: Addressee, method: string, args: unknown[], options: RefOptions): void {
    this.#channel.ask(this.#request("castSync", to, method, args, options));
  }

  tryCast(to: Addressee, method: string, args: unknown[], options: RefOptions): CastResult {
    return this.#channel.ask(this.#request("tryCast", to, method, args, options)) as CastResult;
  }

  /** Of a router. */
  toAll(what: "broadcast" | "callAll", to: Addressee, method: string, args: unknown[], options: RefOptions) {
    return this.#begin(what, to, method, args, options);
  }

  openStream(to: Addressee, method: string, args: unknown[], options: RefOptions, reader: StreamReader): void {
    this.#read(this.#request("stream", to, method, args, options), options.signal, reader);
  }

  async runTask(uid: number, id: string, task: unknown, options: TaskOptions): Promise<unknown> {
    const { signal, transferList = [], name, waits = false } = options;
    const request = this.#request("runTask", { address: 0, uid, id }, undefined, [task, name, waits], {
      transfer: transferList,
    });
    return this.#channel.begin(request, signal);
  }

  streamTask(uid: number, id: string, task: unknown, options: RunOptions, reader: StreamReader): void {
    const { signal, transferList = [], name } = options;
    const to = { address: 0, uid, id };
    this.#read(this.#request("stream", to, undefined, [task, name], { transfer: transferList }), signal, reader);
  }

  #begin(
    what: string,
    to: Addressee,
    method: string | undefined,
    args: unknown[],
    options: RefOptions,
  ): Promise<unknown> {
    let request: ProcessRequest;
    try {
      request = this.#request(what, to, method, args, options);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#channel.begin(request, options.signal);
  }

  #read(request: ProcessRequest, signal: AbortSignal | undefined, reader: StreamReader): void {
    let records = 0;
    let release: (() => void) | undefined;
    const number = this.#channel.open(request, {
      settled(failed, value) {
        if (failed) reader.failed(value);
        else reader.finished(records, { failed: false });
      },
      item: (value, bytes) => reader.received(records++, [value], bytes),
    });
    const grant = (items: number): void => this.#channel.post({ type: "grant", request: number, items });
    const onAbort = (): void =>
      reader.failed(callAborted(request.to?.id ?? "", request.method ?? "", signal as AbortSignal));
    reader.linked({
      grant,
      closed: () => {
        release?.();
        this.#channel.post({ type: "give_up", request: number });
      },
    });
    grant(FIRST_WINDOW);
    if (signal?.aborted === true) onAbort();
    else if (signal !== undefined) release = whenAborted(signal, onAbort);
  }

  #request(
    what: string,
    to: Addressee,
    method: string | undefined,
    args: unknown[],
    { timeoutMs, transfer = [] }: RefOptions,
  ): ProcessRequest {
    const request = {
      what,
      to,
      ...(method === undefined ? {} : { method }),
      args: this.#encode(to.id, method, args, transfer),
    };
    return timeoutMs === undefined ? request : { ...request, timeoutMs };
  }

  #encode(id: string, method: string | undefined, args: unknown[], transfer: readonly Transferable[]): Encoded {
    try {
      const sent = encoded(this.codec.encodeArgs(args));
      checkLeavesMemory(this.codec, sent, "args");
      giveAway(transfer);
      return sent;
    } catch (error) {
      throw uncloneableFor(method === undefined ? { id } : { id, method }, error);
    }
  }
}

/** Takes what changes hands from the actor's code, which was copied. Throws ERR_NOT_CLONEABLE. */
export function giveAway(transfer: readonly Transferable[]): void {
  if (transfer.length === 0) return;
  checkTransferList(transfer);
  const index = transfer.findIndex((object) => !(object instanceof ArrayBuffer));
  if (index !== -1) {
    const path = `transfer[${index}]`;
    throw new ActorError("ERR_NOT_CLONEABLE", `${path} is no ArrayBuffer, and nothing else can leave a process`, {
      path,
    });
  }
  structuredClone(null, { transfer: [...transfer] as never });
}
