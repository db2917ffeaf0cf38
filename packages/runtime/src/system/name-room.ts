import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import { ActorRef, PoolRef } from "@mini-otp/worker-host/protocol/refs";
import { decodeReason } from "@mini-otp/worker-host/protocol/values";
import type { ActorChild } from "../actor/actor-child.js";
import type { NameHost, UpgradeReport } from "../actor/actor-host.js";
import type { Directory } from "../directory/directory.js";
import { ExternalProcesses } from "../directory/external-processes.js";
import { Registry } from "../directory/registry.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { LightActors } from "../partitions/light-actors.js";
import type { Events } from "../reporting/events.js";
import type { Log } from "../reporting/log.js";
import { RouterChild } from "../router/router.js";
import { type Process, ProcessSignals, type SignalRequest } from "../signals/process-signals.js";
import type { Census } from "./census.js";

type Named = ActorChild | RouterChild;

export interface NameRoomParts {
  readonly directory: Directory;
  readonly census: Census;
  readonly lights: LightActors;
  readonly outbox: MainOutbox;
  readonly events: Events;
  readonly logger: Log;
}

/** Makes processes known: their names, their monitors and links, their upgrades and ends. */
export class NameRoom implements NameHost<ActorChild> {
  readonly signals: ProcessSignals;
  /** Finds a name that is registered elsewhere than in this system. */
  findElsewhere: ((name: string) => ActorRef | undefined) | undefined;
  readonly #parts: NameRoomParts;
  readonly #external = new ExternalProcesses();
  readonly #registry = new Registry<Named>();

  constructor(parts: NameRoomParts) {
    const { directory, outbox, logger } = parts;
    this.#parts = parts;
    const { lights } = parts;
    const byUid = (uid: number) => directory.byUid(uid) ?? this.#external.byUid(uid);
    this.signals = new ProcessSignals({
      byUid,
      byPath: (id) =>
        directory.at(id) ??
        this.#external.at(id) ??
        lights.at(id, ({ address, uid, id: path }) => new ActorRef(outbox, address, uid, path)),
      lightPath: (target) => lights.watched(target),
      lightAsking: (target) => lights.nameOfAsking(target),
      exitLight: (target, from, reason) => lights.exit(target, from, reason),
      refTo: ({ address, uid, id }) =>
        address === undefined ? new PoolRef(outbox, uid, id) : new ActorRef(outbox, address, uid, id),
      reasonOf: (reason) => decodeReason(outbox.codec, reason),
      membersOf: (uid) => {
        const found = byUid(uid);
        return found === undefined ? [] : found instanceof RouterChild ? found.actors : [found];
      },
      listenerFailed: (id, error) => logger.error({ actor: id, err: error }, `a monitor's listener for ${id} threw`),
    });
  }

  /** Makes an external process known. Returns the function that ends it and tells its watchers. */
  attach(uid: number, process: Process): (reason: ExitReason) => void {
    const remove = this.#external.add(uid, process);
    this.signals.started(process);
    return (reason) => {
      if (remove()) this.signals.ended(process, reason)();
    };
  }

  attached(uid: number): ActorRef | undefined {
    const process = this.#external.byUid(uid);
    return process?.remote === undefined && process?.ref instanceof ActorRef ? process.ref : undefined;
  }

  lifeStarted(child: Named): void {
    this.signals.started(child, child.type === "supervisor");
  }

  lifeEnded(child: Named, reason: ExitReason): () => void {
    return this.signals.ended(child, reason);
  }

  signal(actor: ActorChild, request: SignalRequest): void {
    this.signals.handle(actor, request);
  }

  watchReader(actor: ActorChild, readerUid: number): void {
    const { directory, outbox } = this.#parts;
    if (readerUid === outbox.self.uid) return;
    const id = directory.byUid(readerUid)?.id ?? "";
    this.signals.handle(actor, {
      type: "monitor",
      monitor: -readerUid,
      target: { uid: readerUid, id, address: undefined },
    });
  }

  claim(holder: Named, name: string | undefined): void {
    if (name !== undefined) this.#registry.claim(name, holder);
  }

  release(holder: Named, name: string | undefined): void {
    if (name !== undefined) this.#registry.release(name, holder);
  }

  whereis(name: string): ActorRef | undefined {
    return this.#registry.whereis(name)?.ref ?? this.findElsewhere?.(name);
  }

  upgraded({ id, incarnation }: ActorChild, { fromVersion, version }: UpgradeReport): void {
    const { events, logger } = this.#parts;
    const at = performance.now();
    events.emit({
      event: "actor_upgraded",
      id,
      at,
      incarnation,
      fromVersion,
      ...(version === undefined ? {} : { version }),
    });
    logger.info({ actor: id, incarnation, fromVersion, version }, `${id} upgraded`);
  }

  disposed(child: Named): void {
    this.#parts.directory.remove(child.slot.uid, child);
  }

  gone(actor: ActorChild): void {
    this.#parts.census.gone(actor);
  }
}
