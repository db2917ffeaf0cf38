import { wakeAll } from "./doorbell.js";
import { M } from "./program-counters.js";
import {
  AREA_ATTEMPT,
  AREA_MESSAGE,
  AREA_SEQ,
  CLAIMED,
  CLAIMED_SEQ,
  CURSOR,
  closed,
  HANDLED_SEQ,
  HEAD,
  IDENTITY,
  IN_FLIGHT,
  KIND_INSIDE,
  KIND_NONE,
  KIND_PADDING,
  MAIN_SEQ,
  MAIN_TAIL,
  NEXT_SEQ,
  POSITION,
  R_ATTEMPT,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_SEQ,
  SPACE,
  type State,
  TAIL,
  TO_DELIVER,
  TOLD,
} from "./words.js";
import { type Program, violate, type World, WRONG_DEAD_LETTER, WRONG_RECOUNT } from "./world.js";

/** Where main goes on. */
export interface After {
  recounted(s: State): number;
  recovered(s: State): number;
  taken(s: State): number;
}

/** Main's hand on the mailbox: `recount`, `recover`, `takeAll`, `consumedBefore` and `close` of mailbox.ts. */
export function mailboxProgram(world: World, after: After): Program {
  const { maxDeliveries, protocol } = world.scenario;
  const toldClaimed = protocol.consumedBefore === "what was handled or claimed";
  const recountsFirst = protocol.recount === "before the lock is free";

  /** The record itself, when there is padding before it. */
  const recordAt = (s: State, position: number): number => {
    const at = world.cell(position);
    return s[at + R_KIND] === KIND_PADDING ? world.cell(world.after(position, s[at + R_LENGTH])) : at;
  };
  /** The seq after the last record that was handled, or claimed to be and not delivered again. */
  const consumed = (s: State): number => {
    if (world.dropsOldest) return s[IN_FLIGHT] === 0 ? s[CLAIMED_SEQ] : s[AREA_SEQ];
    // A consumer that dies between its two stores has counted a record that is still to be delivered again.
    return s[HEAD] === s[TAIL] ? s[HANDLED_SEQ] : s[recordAt(s, s[HEAD]) + R_SEQ];
  };

  return {
    // recount
    [M.recountTail]: {
      text: "recount: load(TAIL)",
      run(s) {
        s[MAIN_TAIL] = s[TAIL];
        return M.recountHead;
      },
    },
    [M.recountHead]: {
      text: "recount: load(HEAD)",
      run(s) {
        s[POSITION] = s[HEAD];
        return M.recountHandled;
      },
    },
    [M.recountHandled]: {
      text: "recount: reads HANDLED_SEQ",
      run(s) {
        s[MAIN_SEQ] = s[HANDLED_SEQ];
        return s[POSITION] === s[MAIN_TAIL] ? M.recountStore : M.recountWalk;
      },
    },
    [M.recountWalk]: {
      text: "recount: reads the record at its position",
      run(s) {
        const at = world.cell(s[POSITION]);
        if (s[at + R_KIND] === KIND_NONE || s[at + R_KIND] === KIND_INSIDE) {
          violate(s, WRONG_RECOUNT);
          return M.recountStore;
        }
        if (s[at + R_KIND] !== KIND_PADDING) s[MAIN_SEQ] = world.seqAfter(s[at + R_SEQ], 1);
        s[POSITION] = world.after(s[POSITION], s[at + R_LENGTH]);
        return s[POSITION] === s[MAIN_TAIL] ? M.recountStore : M.recountWalk;
      },
    },
    [M.recountStore]: {
      text: "recount: NEXT_SEQ = what is published",
      run(s) {
        s[NEXT_SEQ] = s[MAIN_SEQ];
        s[MAIN_TAIL] = s[POSITION] = s[MAIN_SEQ] = 0;
        if (recountsFirst) world.clearUnpublished(s);
        return after.recounted(s);
      },
    },

    // recover. Only main writes the consumer's words now.
    [M.recover]: {
      text: "recover: is there a message in flight, and has it deliveries left?",
      run(s) {
        if (world.dropsOldest) return s[IN_FLIGHT] === 0 ? after.recovered(s) : M.recoverArea;
        if (s[HEAD] === s[CURSOR]) return after.recovered(s);
        const at = recordAt(s, s[HEAD]);
        const attempts = s[at + R_ATTEMPT] + 1;
        if (s[at + R_MESSAGE] !== s[CLAIMED]) violate(s, WRONG_DEAD_LETTER);
        if (attempts < maxDeliveries) {
          s[at + R_ATTEMPT] = attempts;
          return M.recoverCursor;
        }
        s[HANDLED_SEQ] = world.seqAfter(s[at + R_SEQ], 1);
        world.becomesDeadLetter(s, s[at + R_MESSAGE]);
        return M.recoverHead;
      },
    },
    [M.recoverCursor]: {
      text: "recover: store(CURSOR, head), the message stays first",
      run(s) {
        s[CURSOR] = s[HEAD];
        return after.recovered(s);
      },
    },
    [M.recoverHead]: {
      text: "recover: store(HEAD, cursor), the message is a dead letter",
      run(s) {
        world.finish(s, s[HEAD], s[CURSOR]);
        s[HEAD] = s[CURSOR];
        return M.recoverSpace;
      },
    },
    ...wakeAll("recover", SPACE, M.recoverSpace, M.recoverNotify, after.recovered),
    [M.recoverArea]: {
      text: "#recoverClaimed: load(HEAD), was the record taken out; and has it deliveries left?",
      run(s) {
        if (s[IN_FLIGHT] === TO_DELIVER) return after.recovered(s);
        if (s[IN_FLIGHT] === s[HEAD] + 1) {
          s[IN_FLIGHT] = 0;
          s[CLAIMED_SEQ] = s[AREA_SEQ];
          return after.recovered(s);
        }
        if (s[AREA_MESSAGE] !== s[CLAIMED]) violate(s, WRONG_DEAD_LETTER);
        if (s[AREA_ATTEMPT] + 1 < maxDeliveries) {
          s[AREA_ATTEMPT]++;
          if (protocol.redelivers === "when it is taken again") s[IN_FLIGHT] = TO_DELIVER;
        } else {
          s[IN_FLIGHT] = 0;
          world.becomesDeadLetter(s, s[AREA_MESSAGE]);
        }
        return after.recovered(s);
      },
    },

    // takeAll
    [M.takeArea]: {
      text: "takeAll: makes a dead letter of what is in the in-flight area",
      run(s) {
        if (s[IN_FLIGHT] !== 0) world.becomesDeadLetter(s, s[AREA_MESSAGE]);
        s[IN_FLIGHT] = 0;
        return M.takeTail;
      },
    },
    [M.takeTail]: {
      text: "takeAll: load(TAIL)",
      run(s) {
        s[MAIN_TAIL] = s[TAIL];
        return M.takeHead;
      },
    },
    [M.takeHead]: {
      text: "takeAll: load(HEAD)",
      run(s) {
        s[POSITION] = s[HEAD];
        return s[POSITION] === s[MAIN_TAIL] ? M.takeCursor : M.takeRecord;
      },
    },
    [M.takeRecord]: {
      text: "takeAll: makes a dead letter of a record",
      run(s) {
        const at = world.cell(s[POSITION]);
        if (!world.published(s, s[POSITION])) {
          violate(s, WRONG_DEAD_LETTER);
          return M.takeCursor;
        }
        if (s[at + R_KIND] !== KIND_PADDING) {
          world.becomesDeadLetter(s, s[at + R_MESSAGE]);
          s[HANDLED_SEQ] = world.seqAfter(s[at + R_SEQ], 1);
        }
        s[POSITION] = world.after(s[POSITION], s[at + R_LENGTH]);
        return s[POSITION] === s[MAIN_TAIL] ? M.takeCursor : M.takeRecord;
      },
    },
    [M.takeCursor]: {
      text: "takeAll: store(CURSOR, tail)",
      run(s) {
        s[POSITION] = 0;
        s[CURSOR] = s[MAIN_TAIL];
        return M.takeStore;
      },
    },
    [M.takeStore]: {
      text: "takeAll: store(HEAD, tail)",
      run(s) {
        world.finish(s, s[HEAD], s[MAIN_TAIL]);
        s[HEAD] = s[MAIN_TAIL];
        s[MAIN_TAIL] = 0;
        return M.takeSpace;
      },
    },
    ...wakeAll("takeAll", SPACE, M.takeSpace, M.takeNotify, after.taken),

    // consumedBefore: calls made before it have failed, the others will be answered by the next thread.
    [M.told]: {
      text: toldClaimed ? "consumedBefore: what was handled or claimed" : "consumedBefore: load(HEAD)",
      run(s) {
        if (toldClaimed) {
          s[TOLD] = 1 + consumed(s);
          return M.restart;
        }
        s[POSITION] = s[HEAD];
        return M.toldTail;
      },
    },
    [M.toldTail]: {
      text: "consumedBefore: load(TAIL)",
      run: (s) => (s[POSITION] === s[TAIL] ? M.toldEmpty : M.toldRecord),
    },
    [M.toldEmpty]: {
      text: "consumedBefore: the ring is empty, reads NEXT_SEQ",
      run(s) {
        s[POSITION] = 0;
        s[TOLD] = 1 + s[NEXT_SEQ];
        return M.restart;
      },
    },
    [M.toldRecord]: {
      text: "consumedBefore: reads the seq of the first record",
      run(s) {
        s[TOLD] = 1 + s[world.cell(s[POSITION]) + R_SEQ];
        s[POSITION] = 0;
        return M.restart;
      },
    },

    // close
    [M.close]: {
      text: "close: store(IDENTITY, closed)",
      run(s) {
        s[IDENTITY] = closed(s[IDENTITY] >> 2);
        return M.closeSpace;
      },
    },
    ...wakeAll("close", SPACE, M.closeSpace, M.closeNotify, () => M.restart),
  };
}
