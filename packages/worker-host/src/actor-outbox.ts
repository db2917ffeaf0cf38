import type { MessagePort } from "node:worker_threads";
import type { IdleStrategy } from "./idle-strategy.js";
import type { Inbox } from "./inbox.js";
import type { RefOptions } from "./protocol/actor-ref.js";
import { encoded, type ToMain } from "./protocol/boot.js";
import { announce, sleep } from "./protocol/doorbell.js";
import type { NameTable } from "./protocol/name-table.js";
import { mailboxFull, Outbox, type Peer, type Self, type Unsent } from "./protocol/outbox.js";
import type { Payload } from "./protocol/payload.js";
import { takeReplies } from "./protocol/replies.js";
import { BUSY, FULL, type Producer } from "./protocol/ring-writer.js";
import type { Segments } from "./protocol/segments.js";
import { BLOCKED_MS, BLOCKED_ON, MAILBOX_LANE, SPACE } from "./protocol/slot-descriptor.js";

/** A sleeper looks again this often, whatever it may have missed. */
const SLICE_MS = 50;

/** The sending side of an actor's thread, which may block. */
export class ActorOutbox extends Outbox {
  readonly #inbox: Inbox;
  readonly #port: MessagePort;
  readonly #takeControl: () => void;
  readonly #idle: IdleStrategy;
  /** Called when a call's deadline becomes the earliest. */
  onDeadline: () => void = () => {};

  /** `takeControl` handles what main says while this thread waits for a reply. */
  constructor(
    self: Self,
    segments: Segments,
    names: NameTable,
    producer: Producer,
    inbox: Inbox,
    port: MessagePort,
    idle: IdleStrategy,
    takeControl: () => void,
  ) {
    super(self, segments, names, producer);
    this.#inbox = inbox;
    this.#port = port;
    this.#idle = idle;
    this.#takeControl = takeControl;
  }

  override callSync(to: Peer, method: string, args: unknown[], options: RefOptions): unknown {
    let failed = false;
    let outcome: unknown;
    let settled = false;
    this.request(
      to,
      method,
      args,
      options,
      (value) => {
        outcome = value;
        settled = true;
      },
      (error) => {
        outcome = error;
        failed = settled = true;
      },
    );
    if (!settled) {
      this.self.memory.words[BLOCKED_ON] = to.uid;
      while (!settled) this.#awaitReply();
      this.self.memory.words[BLOCKED_ON] = 0;
    }
    if (failed) throw outcome;
    return outcome;
  }

  override castSync(to: Peer, method: string, args: unknown[]): void {
    this.castBlocking(to, method, args);
  }

  #awaitReply(): void {
    const inbox = this.#inbox;
    if (takeReplies(inbox.system, this.codec, this.pending) > 0) return;
    if (inbox.takeControlFlag()) {
      this.#takeControl();
      return;
    }
    const spins = this.#idle.spins;
    for (let spin = 0; spin < spins; spin++) {
      if (inbox.arrived(false)) {
        this.#idle.found();
        return;
      }
    }
    if (spins > 0) this.#idle.foundNothing();
    const now = performance.now();
    const deadline = this.pending.nextDeadline;
    if (deadline <= now) this.pending.expire(now);
    else inbox.sleep(false, Math.min(SLICE_MS * 20, deadline - now));
  }

  protected override armTimer(): void {
    this.onDeadline();
  }

  protected override waitForRoom(unsent: Unsent): void {
    const { peer } = unsent;
    const words = this.self.memory.words;
    const since = performance.now();
    words[BLOCKED_ON] = peer.uid;
    for (;;) {
      announce(peer.words, MAILBOX_LANE + SPACE);
      const outcome = this.retry(unsent);
      if (outcome !== FULL && outcome !== BUSY) break;
      const left = unsent.deadline - performance.now();
      if (left <= 0) {
        unsent.refused(mailboxFull(peer, this.names.name(unsent.method)));
        break;
      }
      sleep(peer.words, MAILBOX_LANE + SPACE, Math.min(SLICE_MS, left));
    }
    words[BLOCKED_ON] = 0;
    Atomics.add(peer.words, BLOCKED_MS, Math.round(performance.now() - since));
  }

  protected override fetchSegment(): void {
    // Main posts a new segment to every thread before it gives out an address in it.
    this.#inbox.control.poll();
  }

  protected override dropped(peer: Peer, method: number): void {
    this.post({ type: "dropped", uid: peer.uid, id: peer.id, method: this.names.name(method) });
  }

  protected override detour(address: number, uid: number, kind: number, correlation: number, payload: Payload): void {
    this.post({ type: "detour", address, uid, kind, correlation, payload: encoded(payload) });
  }

  post(message: ToMain): void {
    this.#port.postMessage(message);
  }
}
