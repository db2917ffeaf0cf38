/*
 * What senders and receivers know of their messages, compared. A pair is one life of a sender and one life of a receiver;
 * its messages are numbered 1, 2, … by the sender.
 */

/** How a message went for its sender. Without an outcome its sender had not been told when it ended. */
export type Outcome = "accepted" | "answered" | "refused" | "doubt" | undefined;

export interface PairHistory {
  readonly pair: string;
  /** By number, from 1 on: the first is not used. */
  readonly outcomes: readonly Outcome[];
  /** The numbers that the receiver has handled, in its order. */
  readonly handled: readonly number[];
  /** Dead letters of the pair, on either node. */
  readonly deadLetters: number;
  /** How often the sender's node has lost the connection to the receiver's, a killed receiver included. */
  readonly losses: number;
  /** The process of the sender was killed. */
  readonly senderKilled: boolean;
  /** The most messages that may be under way when a connection is lost. */
  readonly window: number;
  /** The most messages that wait in the sender's process for the window. */
  readonly ring: number;
}

/** What must not be; empty when all is as promised. */
export function checkMessages(history: PairHistory): string[] {
  const { pair, outcomes, handled, losses, senderKilled } = history;
  const violations: string[] = [];
  const wrong = (what: string, numbers: readonly number[]): void => {
    if (numbers.length > 0) violations.push(`${pair}: ${what}: ${shown(numbers)}`);
  };
  const seen = new Set<number>();
  wrong(
    "handled twice",
    handled.filter((number) => seen.has(number) || !seen.add(number)),
  );
  wrong(
    "handled and never sent",
    [...seen].filter((number) => number < 1 || number >= outcomes.length),
  );
  wrong(
    "handled out of order",
    handled.filter((number, i) => i > 0 && number < handled[i - 1]),
  );
  const of = (outcome: Outcome): number[] =>
    Array.from(outcomes.keys()).filter((number) => number > 0 && outcomes[number] === outcome);
  wrong(
    "refused and handled all the same",
    of("refused").filter((number) => seen.has(number)),
  );
  wrong(
    "answered and not handled",
    of("answered").filter((number) => !seen.has(number)),
  );
  if (!senderKilled) wrong("without an outcome", of(undefined));
  if (losses === 0 && !senderKilled) wrong("in doubt without a loss of the connection", of("doubt"));
  violations.push(...checkLost(history, seen));
  return violations;
}

/** What was accepted and is not handled is a dead letter, or was under way when a connection was lost. */
function checkLost(history: PairHistory, handled: ReadonlySet<number>): string[] {
  const { pair, outcomes, deadLetters, losses, senderKilled, window, ring } = history;
  const violations: string[] = [];
  const lost: number[] = [];
  let runs = 0;
  let isInRun = false;
  for (let number = 1; number < outcomes.length; number++) {
    const isLost = outcomes[number] === "accepted" && !handled.has(number);
    if (isLost) lost.push(number);
    if (isLost && !isInRun) runs++;
    if (isLost) isInRun = true;
    else if (handled.has(number)) isInRun = false;
  }
  const most = deadLetters + window * losses + (senderKilled ? window + ring : 0);
  if (lost.length > most) {
    violations.push(`${pair}: ${lost.length} lost, of which ${most} are accounted for: ${shown(lost)}`);
  }
  const ends = losses + (senderKilled ? 1 : 0);
  if (runs > ends)
    violations.push(`${pair}: lost in ${runs} places, by ${ends} losses of the connection: ${shown(lost)}`);
  if (deadLetters > lost.length) {
    violations.push(`${pair}: ${deadLetters} dead letters, of which only ${lost.length} were accepted and not handled`);
  }
  return violations;
}

function shown(numbers: readonly number[]): string {
  return numbers.length > 8 ? `${numbers.slice(0, 8).join(" ")} … (${numbers.length})` : numbers.join(" ");
}
