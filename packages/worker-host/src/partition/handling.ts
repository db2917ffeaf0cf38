import { THREW } from "../loop/message-handler.js";
import { isReplyError } from "../protocol/errors/errors.js";
import type { ExitReason } from "../protocol/errors/exit-reason.js";
import { TABLE_HANDLED } from "../protocol/memory/cells.js";
import { METHOD_INFO } from "../protocol/memory/name-table.js";
import type { CancelledCalls } from "./cancelled-calls.js";
import type { Cell, OwnWaiting, Waiting } from "./cell.js";
import { logOf, nameOf, type PartitionParts } from "./parts.js";
import type { Code, Outcome, Runner } from "./runner.js";

/** One message of a member: from its handler to its reply. */
export class Handling implements Outcome {
  readonly #parts: PartitionParts;
  readonly #runner: Runner;
  readonly #cancelled: CancelledCalls;
  readonly #end: (cell: Cell, reason: ExitReason) => void;

  constructor(
    parts: PartitionParts,
    runner: Runner,
    cancelled: CancelledCalls,
    end: (cell: Cell, reason: ExitReason) => void,
  ) {
    this.#parts = parts;
    this.#runner = runner;
    this.#cancelled = cancelled;
    this.#end = end;
  }

  message(cell: Cell, { method, args, caller, isSend }: Waiting): void {
    cell.caller = caller;
    cell.isDeferred = false;
    const { extras } = cell;
    if (extras?.signal !== undefined) renewSignal(cell);
    if (caller !== undefined && this.#cancelled.take(caller)) {
      cell.caller = undefined;
      return;
    }
    this.#parts.table[TABLE_HANDLED]++;
    const { definition, handlers } = cell.type;
    const numbered = typeof method === "number";
    const handler = isSend
      ? definition.info
      : numbered
        ? (handlers.numbered(method) ?? handlers.find(method, this.#nameOf(method)))
        : (handlers.named(method) ?? handlers.find(0, method));
    if (handler === undefined) {
      cell.caller = undefined;
      if (isSend) this.#parts.unhandled("info", "the actor has no info handler", cell.id);
      else if (caller !== undefined) caller.fail(handlers.unknownMethod(cell.id, this.#nameOf(method), args));
      else this.#parts.unhandled(this.#nameOf(method), "unknown method", cell.id);
      return;
    }
    const number = isSend ? METHOD_INFO : numbered ? method : this.#parts.outbox.names.find(method);
    const target = isSend ? definition : definition.handlers;
    if (extras?.tracer !== undefined) {
      const kind = caller !== undefined ? "call" : isSend ? "send" : "cast";
      extras.tracer.begin(isSend ? "info" : this.#nameOf(method), kind);
    }
    this.#runner.handle(cell, number, method, target, handler as Code, args, this);
  }

  own(cell: Cell, { method, args }: OwnWaiting): void {
    const { definition, handlers } = cell.type;
    cell.caller = undefined;
    cell.isDeferred = false;
    if (cell.extras?.signal !== undefined) renewSignal(cell);
    if (method === "") {
      const { info } = definition;
      if (info === undefined) this.#parts.unhandled("info", "the actor has no info handler", cell.id);
      else {
        cell.extras?.tracer?.begin("info", "own");
        this.#runner.handle(cell, METHOD_INFO, "info", definition, info as Code, args, this);
      }
      return;
    }
    const handler = handlers.named(method);
    if (handler === undefined) {
      // Its code has changed since the timer was set.
      this.#parts.unhandled(method, "unknown method", cell.id);
      return;
    }
    const number = this.#parts.outbox.names.find(method);
    cell.extras?.tracer?.begin(method, "own");
    this.#runner.handle(cell, number, method, definition.handlers, handler, args, this);
  }

  succeeded(cell: Cell, value: unknown): void {
    const { caller, extras } = cell;
    if (extras !== undefined) extras.tracer?.end("ok");
    if (caller === undefined) return;
    cell.caller = undefined;
    if (!cell.isDeferred) caller.succeed(value);
  }

  failed(cell: Cell, error: unknown): void {
    const isOurs = isReplyError(error);
    const ends = !isOurs && !cell.type.survivesThrows;
    cell.extras?.tracer?.end(ends ? "error" : "failed");
    if (ends) {
      this.#end(cell, { kind: "error", error });
      return;
    }
    const { caller } = cell;
    cell.caller = undefined;
    if (caller !== undefined && (!cell.isDeferred || cell.extras?.deferred.delete(caller) === true)) {
      caller.fail(error);
      return;
    }
    const log = logOf(this.#parts, cell);
    if (isOurs) log.warn(error, "a ReplyError was thrown where no call waits for it");
    else log.error({ err: error, method: this.#nameOf(cell.method) }, THREW);
  }

  #nameOf(method: number | string): string {
    return nameOf(this.#parts.outbox.names, method);
  }
}

/** The caller of the message that is being handled waits no longer: a handler that asks for its signal later sees it. */
export function abortCall(cell: Cell): void {
  const { more } = cell;
  more.signal ??= new AbortController();
  more.signal.abort();
}

/** Each message has a signal of its own. */
function renewSignal(cell: Cell): void {
  if (cell.extras !== undefined && cell.stopping === undefined && cell.draining === undefined) {
    cell.extras.signal = undefined;
  }
}
