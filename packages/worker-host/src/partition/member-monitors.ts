import { type ExitReason, NOPROC } from "../protocol/errors/exit-reason.js";
import type { ActorRef } from "../protocol/refs/actor-ref.js";
import { checkedReference } from "../protocol/refs/checked-reference.js";
import type { PoolRef } from "../protocol/refs/pool-ref.js";
import type { Cell } from "./cell.js";
import type { Mailboxes } from "./mailboxes.js";
import { copyOfReason, type PartitionParts } from "./parts.js";
import type { Roster } from "./roster.js";

/** The monitors that members set: on one of their own partition directly, on all others by the partition's own context. */
export class MemberMonitors {
  readonly #parts: PartitionParts;
  readonly #roster: Roster;
  readonly #mailboxes: Mailboxes;
  /** Monitors of what lives in other threads, by the partition's own number. */
  readonly #remote = new Map<number, { readonly cell: Cell; readonly monitor: number }>();
  #last = 0;

  constructor(parts: PartitionParts, roster: Roster, mailboxes: Mailboxes) {
    this.#parts = parts;
    this.#roster = roster;
    this.#mailboxes = mailboxes;
  }

  add(cell: Cell, ref: ActorRef | PoolRef): number {
    const target = checkedReference(ref, "ctx.monitor");
    const monitor = ++this.#last;
    if (this.#roster.isHere(target)) this.#addHere(cell, target, monitor);
    else this.#addRemote(cell, target, monitor);
    return monitor;
  }

  #addHere(cell: Cell, target: ActorRef, monitor: number): void {
    const watched = this.#roster.meantBy(target);
    const down = (reason: ExitReason): void => {
      if (!cell.more.monitors.delete(monitor)) return;
      const copy = copyOfReason(this.#parts, reason);
      const message = { type: "DOWN", monitor, id: target.id, ref: target, reason: copy };
      this.#mailboxes.putOwn(cell, { method: "", args: [message] });
    };
    cell.more.monitors.set(monitor, () => watched?.extras?.watchers.delete(down));
    if (watched === undefined) down(NOPROC);
    else watched.more.watchers.add(down);
  }

  #addRemote(cell: Cell, target: ActorRef | PoolRef, monitor: number): void {
    const number = this.#parts.context.monitor(target);
    this.#remote.set(number, { cell, monitor });
    cell.more.monitors.set(monitor, () => {
      this.#remote.delete(number);
      this.#parts.context.demonitor(number);
    });
  }

  /** Its DOWN does not come, even when it waits already. */
  remove(cell: Cell, monitor: number): void {
    const { extras } = cell;
    if (extras === undefined) return;
    const takeOff = extras.monitors.get(monitor);
    extras.monitors.delete(monitor);
    takeOff?.();
    const { own } = extras;
    const at = own.findIndex(({ args }) => (args[0] as { monitor?: unknown } | undefined)?.monitor === monitor);
    if (at >= 0 && own[at].method === "") own.splice(at, 1);
  }

  /** Main's DOWN to the partition is for the member that has asked. */
  down(message: { readonly monitor: number }): void {
    const remote = this.#remote.get(message.monitor);
    this.#remote.delete(message.monitor);
    if (remote === undefined || !remote.cell.more.monitors.delete(remote.monitor)) return;
    this.#mailboxes.putOwn(remote.cell, { method: "", args: [{ ...message, monitor: remote.monitor }] });
  }
}
