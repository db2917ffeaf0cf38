import { Buffer } from "node:buffer";
import { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import { Codec } from "@mini-otp/worker-host/protocol/values";
import type { MemoryHub } from "#cluster/engine/memory-engine.js";
import { record, recordBytes, writeRecord } from "#cluster/gateway/records.js";
import { ACK, BYE, DATA, decodeFrame, encodeFrame, type Frame, HELLO } from "#cluster/link/frame.js";
import { decodeHello, encodeHello, type Hello } from "#cluster/link/hello.js";

/** A peer of node a that speaks the protocol, with valid credentials, and sends what it likes. */
export class Stranger {
  readonly #engine;
  readonly #name: string;
  #hello: Hello;
  epoch = 77;
  peerEpoch = 0;
  seq = 0;

  constructor(hub: MemoryHub, name = "x") {
    this.#name = name;
    this.#hello = { incarnation: `${name.replaceAll("-", "")}1`, startedAt: 1, oldest: 1, newest: 1 };
    this.#engine = hub.connect(name);
    this.#engine.subscribe(`motp.test.l.${name}.*`, (_subject, bytes) => this.#take(bytes));
    this.#greet();
  }

  /** As its process that came next, with what `said` says of it. */
  greetAnew(said: Partial<Hello>): void {
    this.epoch++;
    this.#hello = { ...this.#hello, ...said };
    this.#greet();
  }

  #greet(): void {
    const body = encodeHello(this.#hello);
    this.send({ type: HELLO, from: this.epoch, to: this.peerEpoch, seq: 0, ack: 0, body });
  }

  #take(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame === undefined) return;
    if (frame.type !== HELLO || decodeHello(frame.body) === undefined) return;
    this.peerEpoch = frame.from;
    if (frame.to !== this.epoch) this.#greet();
    else this.send({ type: ACK, from: this.epoch, to: this.peerEpoch, seq: 0, ack: 0, body: new Uint8Array(0) });
  }

  send(frame: Frame): void {
    this.#engine.publish(`motp.test.l.a.${this.#name}`, encodeFrame(frame));
  }

  raw(bytes: Uint8Array): void {
    this.#engine.publish(`motp.test.l.a.${this.#name}`, bytes);
  }

  data(body: Uint8Array): void {
    this.seq++;
    this.send({ type: DATA, from: this.epoch, to: this.peerEpoch, seq: this.seq, ack: 0, body });
  }

  bye(): void {
    this.send({ type: BYE, from: this.epoch, to: this.peerEpoch, seq: 0, ack: 0, body: new Uint8Array(0) });
  }
}

export function body(...records: Parameters<typeof record>[]): Buffer {
  const made = records.map((args) => record(...args));
  const bytes = Buffer.alloc(made.reduce((sum, each) => sum + recordBytes(each), 0));
  made.reduce((at, each) => writeRecord(bytes, at, each), 0);
  return bytes;
}

/** Arguments that are one reference, as it is on the wire. */
export function referenceArgs(wire: unknown[]): { readonly format: number; readonly payload: Uint8Array } {
  const foreign = { exported: () => wire, imported: () => new ActorRef(undefined as never, 0, 0, "") };
  const { format, bytes, length } = new Codec(undefined as never, foreign).encodeArgs(
    [new ActorRef(undefined as never, 0, 0, "")],
    undefined,
    true,
  );
  return { format, payload: bytes.slice(0, length) };
}
