import type { ExitReason } from "@mini-otp/worker-host/protocol/errors";
import type { DevOptions } from "../dev/dev-options.js";
import type { GuardOptions } from "../guard/guard-options.js";
import type { Logger } from "../reporting/logger.js";
import type { ChildStopReport } from "../supervision/child.js";
import type { ChildSpec } from "../supervision/child-spec.js";
import type { AutoShutdown, Strategy } from "../supervision/restart-strategy.js";

/** What `startSystem` takes. `C` are the types of the children's specs. */
export interface SystemOptions<C extends readonly ChildSpec[] = readonly ChildSpec[]> {
  /** Shown in logs. Default `"mini-otp"`. */
  name?: string | undefined;
  /** Which of the root's children are restarted when one has ended. Default `"one_for_one"`. */
  strategy?: Strategy | undefined;
  /** Restarts that the root allows within `periodMs`, 0 to 1 000 000; one more, and it gives up. Default 3. */
  intensity?: number | undefined;
  /** The time that `intensity` is counted in. Default 5 000. */
  periodMs?: number | undefined;
  /** Whether the root ends when one, or all, of its significant children have ended by themselves. Default `"never"`. */
  autoShutdown?: AutoShutdown | undefined;
  /** The root's children, in start order. */
  children?: C | undefined;
  /** How long a call may take, when neither the caller nor the callee's spec says. Default 5 000; `Infinity` for no limit. */
  callTimeoutMs?: number | undefined;
  /**
   * How many threads may wait, with their module loaded, for the next restart of an actor that was restarted before.
   * At most 1 024. Default 2; 0 for none.
   */
  spares?: number | undefined;
  /**
   * A pino logger, or anything of its shape; `false` for none. Default: warnings and above, to stderr; a readable line
   * each on a terminal, JSON elsewhere.
   */
  logger?: Logger | false | undefined;
  /** What holds actors to their caps. */
  guard?: GuardOptions | undefined;
  /** For work on a program: code that is saved is put into the living actors. Not for production. */
  dev?: DevOptions | undefined;
}

/** What `system.stats()` says of the system as a whole. */
export interface SystemStats {
  readonly actors: number;
  /** Threads that are an actor's incarnation. */
  readonly threads: number;
  /** Threads in waiting for the next restart; `ready` ones have loaded their module. */
  readonly spares: { readonly count: number; readonly ready: number; readonly limit: number };
  readonly deadLetters: number;
  /** Threads that did not exit a second after their kill: those there are, and how many there have been. */
  readonly zombies: { readonly now: number; readonly total: number };
  /** Lines of log that the logger threw at, or that what it writes to did not take: a full disk, a closed pipe. */
  readonly logLinesLost: number;
  /** Growth of what is resident and in no numbers of the actors' or main's, and how often it was told of. */
  readonly unattributed: { readonly mb: number; readonly reports: number };
}

/** What `system.stop` takes. */
export interface StopOptions {
  /** For the whole tree. Without it, each child has its own `shutdown`. */
  timeoutMs?: number | undefined;
  /** What each child's `terminate` is told. Default `shutdown`. */
  reason?: ExitReason | undefined;
}

/** What `system.upgrade` takes. */
export interface UpgradeOptions {
  /** For loading the module, the message being handled, and `codeChange`. Default: the spec's `startTimeoutMs`. */
  timeoutMs?: number | undefined;
}

/** What became of the whole tree. Its numbers are the sums of the children's. */
export interface StopReport {
  readonly reason: ExitReason;
  /** Messages handled after the stop was asked for. */
  readonly drained: number;
  /** Messages accepted, but not handled: they are dead letters, and their callers have the reason. */
  readonly dropped: number;
  /** Something had to be killed. */
  readonly killed: boolean;
  /** Something did not end although it was killed, and was left behind. */
  readonly zombie: boolean;
  /** In the order they ended; of a supervisor, with its `children`. */
  readonly children: readonly ChildStopReport[];
}
