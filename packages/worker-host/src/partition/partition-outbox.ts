import { ActorOutbox } from "../loop/actor-outbox.js";
import { blocks } from "../loop/light-refusals.js";
import { mailboxFull } from "../protocol/calls/overflow.js";
import type { Peer, Unsent } from "../protocol/calls/peers.js";
import { WaitingLine } from "../protocol/calls/waiting-line.js";
import { isCellAddress, segmentOfCell } from "../protocol/memory/cells.js";
import { methodOf } from "../protocol/memory/method-name.js";
import type { ActorRef, Connection } from "../protocol/refs/actor-ref.js";
import type { CastResult } from "../protocol/refs/actor-types.js";
import type { RefOptions } from "../protocol/refs/ref-options.js";
import { noStreams } from "../protocol/refs/refusal.js";
import { type Encoded, payloadOf } from "../protocol/values/encoded.js";
import type { LocalMail } from "./local-mail.js";
import { Local } from "./local-mail.js";

/**
 * The sending side of a partition: to its own members without a ring, to all others as any actor sends. It never
 * blocks, because that would block all its members.
 */
export class PartitionOutbox extends ActorOutbox {
  /** Set before anything is sent. */
  local!: LocalMail;
  readonly #lookups: ((ref: ActorRef | undefined) => void)[] = [];

  override connect(address: number, uid: number, id: string): Peer {
    // Local connections are of another kind; they reach the methods below and nothing else.
    if (isCellAddress(address) && this.local !== undefined && segmentOfCell(address) === this.local.segment) {
      return this.local.connect(address, uid, id) as unknown as Peer;
    }
    return super.connect(address, uid, id);
  }

  override request(
    to: Peer,
    method: string,
    args: unknown[],
    options: RefOptions,
    settle: (value: unknown) => void,
    fail: (error: unknown) => void,
  ): number {
    const local = localOf(to);
    if (local !== undefined) return this.local.call(local, method, args, options, settle, fail);
    return super.request(to, method, args, options, settle, fail);
  }

  override openStream(to: Peer, method: string): never {
    throw noStreams(to.id, method);
  }

  override streamTask(_uid: number, id: string): never {
    throw noStreams(id, "stream");
  }

  override tryCast(to: Peer, method: string, args: unknown[], options: RefOptions): CastResult {
    const local = localOf(to);
    return local === undefined
      ? super.tryCast(to, method, args, options)
      : this.local.tryCast(local, method, args, options);
  }

  override cast(to: Peer, method: string, args: unknown[], options: RefOptions): Promise<void> {
    const local = localOf(to);
    return local === undefined
      ? super.cast(to, method, args, options)
      : this.local.cast(local, method, args, options, false);
  }

  override send(to: Peer, message: unknown, options: RefOptions): Promise<void> {
    const local = localOf(to);
    return local === undefined
      ? super.send(to, message, options)
      : this.local.cast(local, "", [message], options, true);
  }

  override callSync(to: Connection): never {
    throw blocks(to.id, "callSync", "call");
  }

  override castSync(to: Connection): never {
    throw blocks(to.id, "castSync", "cast");
  }

  override whereis(): never {
    throw blocks("", "whereis", "await ctx.lookup(name)");
  }

  /** Asks main, which answers in the order of the questions. */
  lookup(name: string): Promise<ActorRef | undefined> {
    return new Promise((resolve) => {
      this.#lookups.push(resolve);
      this.post({ type: "whereis", name });
    });
  }

  override found(ref: Encoded): void {
    this.#lookups.shift()?.(this.codec.decodeValue(payloadOf(ref)) as ActorRef | undefined);
  }

  nextNumber(): number {
    return this.nextCorrelation();
  }

  protected override waitForRoom(unsent: Unsent): void {
    const { peer } = unsent;
    const sender = this.local.sender;
    if (sender !== undefined && sender.unsent >= sender.type.spec.capacity) {
      // It does not await its casts: without this bound they would grow on.
      unsent.refused(mailboxFull(peer, methodOf(this.names, unsent.method, unsent.payload)));
      return;
    }
    if (sender !== undefined) sender.unsent++;
    const over = (): void => {
      if (sender !== undefined) sender.unsent--;
    };
    peer.member?.openLine();
    peer.unsent.push({
      ...unsent,
      wanted: () => unsent.wanted(),
      accepted: (seq) => {
        over();
        unsent.accepted(seq);
      },
      refused: (error) => {
        over();
        unsent.refused(error);
      },
    });
    if (peer.unsent.length === 1) new WaitingLine(peer, this.names, (next) => this.retry(next)).advance();
  }
}

function localOf(to: unknown): Local | undefined {
  return to instanceof Local ? to : undefined;
}
