import type { ActorError, ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { ActorRef } from "@mini-otp/worker-host/protocol/refs";
import type { ActorChild } from "../actor/actor-child.js";
import type { Slots } from "../mailbox/slots.js";
import type { DeadLetters } from "../messaging/dead-letters.js";
import type { MainOutbox } from "../messaging/main-outbox.js";
import type { Events } from "../reporting/events.js";
import type { Logger } from "../reporting/logger.js";
import type { LightActors, LightTarget } from "./light-actors.js";

/** What a supervisor of light actors needs of its system. */
export interface PartitionsHost {
  readonly slots: Slots;
  readonly outbox: MainOutbox;
  readonly events: Events;
  readonly logger: Logger;
  readonly deadLetters: DeadLetters;
  readonly lights: LightActors;
  find(ref: ActorRef): ActorChild | undefined;
  /** A light actor that was watched has ended: tells those that watch it. */
  lightEnded(key: string, light: LightTarget, reason: ExitReason): void;
  /** What `task` tells each watcher goes there in one message. */
  together(task: () => void): void;
}

/** What the parts of such a supervisor ask it. */
export interface Running {
  /** The reference to a partition itself; undefined while it has none. */
  refOf(partition: { readonly index: number }): ActorRef | undefined;
  /** Throws ERR_NOPROC or ERR_SYSTEM_STOPPED. */
  requireRunning(): void;
  isStopping(): boolean;
  notRunning(): ActorError;
}
