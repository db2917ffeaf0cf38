import type { MessagePort } from "node:worker_threads";
import type { ToActor } from "@mini-otp/worker-host/protocol/port";
import type { ChannelEnd } from "./direct-channels.js";

/** Main's ends of its channels to actors' threads. Main posts parcels on them; replies come by the threads' own ports. */
export class MainChannels implements ChannelEnd {
  readonly ownerId: number;
  readonly onlySends = true;
  readonly #ports = new Map<number, MessagePort>();

  /** `ownerId` is main's. */
  constructor(ownerId: number) {
    this.ownerId = ownerId;
  }

  post(message: ToActor): void {
    if (message.type !== "direct_port") return;
    const { peer, port } = message;
    port.unref();
    this.#ports.set(peer, port);
  }

  /** The channel to the thread with this owner id. */
  to(ownerId: number): MessagePort | undefined {
    return this.#ports.get(ownerId);
  }

  threadExited(ownerId: number): void {
    this.#ports.get(ownerId)?.close();
    this.#ports.delete(ownerId);
  }

  close(): void {
    for (const port of this.#ports.values()) port.close();
    this.#ports.clear();
  }
}
