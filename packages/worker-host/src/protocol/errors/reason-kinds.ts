/**
 * Why an actor or supervisor ended. Told apart by `kind`, spelled as in OTP.
 *
 * @see https://www.erlang.org/doc/system/ref_man_processes.html
 */
export type ExitReason =
  | { readonly kind: "normal" }
  | { readonly kind: "shutdown"; readonly detail?: unknown }
  | { readonly kind: "killed" }
  | { readonly kind: "error"; readonly error: unknown }
  | { readonly kind: "heap_cap_exceeded"; readonly heapCapMb: number; readonly usedMb: number }
  | { readonly kind: "off_heap_cap_exceeded"; readonly offHeapCapMb: number; readonly usedMb: number }
  | { readonly kind: "unresponsive"; readonly method: string; readonly afterMs: number }
  | { readonly kind: "exit_called"; readonly code: number }
  /** Its process ended, and main did not end it: `signal` is what ended it, or `code` what it exited with. */
  | { readonly kind: "crashed"; readonly signal: string | null; readonly code: number | null }
  | { readonly kind: "init_failed"; readonly error: unknown }
  | { readonly kind: "init_timeout"; readonly afterMs: number }
  | { readonly kind: "linked"; readonly id: string; readonly reason: ExitReason }
  | { readonly kind: "noproc" }
  /** The connection to the actor's node is lost: the actor may run on. */
  | { readonly kind: "noconnection"; readonly node: string }
  /** Of a light actor: the thread that it shared has ended, for this reason, and not because of it. */
  | { readonly kind: "partition_ended"; readonly reason: ExitReason }
  | {
      readonly kind: "reached_max_restart_intensity";
      /** The child whose failure passed the limit, and its reason. */
      readonly id: string;
      readonly reason: ExitReason;
    };

/** The kinds of exit reasons. */
export type ExitKind = ExitReason["kind"];
