import { wakeAll } from "./doorbell.js";
import { C, M, S } from "./program-counters.js";
import { CONSUMER, SENDER_A, SENDER_B } from "./scenario.js";
import { type Program, violate, WRONG_DEAD_LETTER, WRONG_RECOUNT, type World } from "./world.js";
import {
  CLOSING,
  CONSUMER_WORDS,
  CURSOR,
  DEAD,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  KIND_INSIDE,
  KIND_NONE,
  KIND_PADDING,
  LOCK,
  MAIN_SEQ,
  MAIN_TAIL,
  NEXT_SEQ,
  OWN_HEAD,
  OWN_TAIL,
  PARKED,
  PC,
  POSITION,
  R_ATTEMPT,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_SEQ,
  ROOM_HEAD,
  ROOM_SEQ,
  SENDERS,
  SENT,
  SPACE,
  STATE,
  STATE_CLOSED,
  STATE_FREE,
  STATE_OPEN,
  type State,
  TAIL,
  THREADS,
  TOLD,
  UID,
} from "./words.js";

// How far main has got with a mailbox that nobody consumes any more.
/** Closed: as soon as no producer is inside, what waits becomes dead letters. */
const CLOSED = 1;
/** Nothing waits in it any more. */
const EMPTIED = 2;

/**
 * Main, once a thread has exited: `repair` of slots.ts with `recount` of mailbox.ts; and for the consumer what
 * `#onThreadExit` of actor-child.ts does, with `recover`, `takeAll`, `consumedBefore` and `close` of mailbox.ts.
 */
export function mainProgram(world: World): Program {
  const { messages, maxDeliveries, afterConsumer, protocol, recycled } = world.scenario;
  const toldHandled = protocol.consumedBefore === "up to the first record, or what was handled";
  const recountsFirst = protocol.recount === "before the lock is free";

  const ownerId = (s: State): number => 1 + s[DEAD] + 2 * s[SENDERS[s[DEAD]] + THREADS];
  const ownsLock = (s: State): boolean => s[DEAD] !== CONSUMER && s[LOCK] === ownerId(s);
  const wakeIf = (heldLock: boolean): number => {
    if (protocol.repairWakes === "everyone") return M.spaceStore;
    return protocol.repairWakes !== "nobody" && heldLock ? M.spaceStore : M.recover;
  };
  /** The record itself, when there is padding before it. */
  const recordAt = (s: State, position: number): number => {
    const at = world.cell(position);
    return s[at + R_KIND] === KIND_PADDING ? world.cell(world.after(position, s[at + R_LENGTH])) : at;
  };

  return {
    // In its event loop, where exits come in any order.
    [M.idle]: {
      text: "settled: load(LOCK) is 0, the closed mailbox can be emptied",
      when: (s) => s[CLOSING] === CLOSED && s[LOCK] === 0,
      run: () => M.takeTail,
    },
    [M.free]: { text: "allocate: the free slot is for another actor", run: () => M.format },

    // repair
    [M.lock]: {
      text: recountsFirst ? "repair: load(LOCK), is it the dead thread's?" : "repair: compareExchange(LOCK, dead, 0)",
      alone: recountsFirst,
      run(s) {
        const slotInUse = s[STATE] !== STATE_FREE || protocol.repairs === "every slot";
        if (!slotInUse) return M.restart;
        if (!ownsLock(s)) return wakeIf(false);
        if (!recountsFirst) s[LOCK] = 0;
        return M.recountTail;
      },
    },
    [M.recountTail]: {
      text: "recount: load(TAIL)",
      alone: recountsFirst,
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
      alone: recountsFirst,
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
        return recountsFirst ? M.unlock : wakeIf(true);
      },
    },
    [M.unlock]: {
      text: "repair: store(LOCK, 0)",
      run(s) {
        s[LOCK] = 0;
        return wakeIf(true);
      },
    },
    ...wakeAll("repair", SPACE, M.spaceStore, M.spaceNotify, () => M.parkedStore),
    ...wakeAll("repair", PARKED, M.parkedStore, M.parkedNotify, () => M.recover),

    // recover. Nobody but main writes the consumer's words now.
    [M.recover]: {
      text: "recover: is there a message in flight, and has it deliveries left?",
      alone: true,
      run(s) {
        if (s[DEAD] !== CONSUMER) return M.restart;
        if (s[HEAD] === s[CURSOR]) return afterRecovery();
        const at = recordAt(s, s[HEAD]);
        const attempts = s[at + R_ATTEMPT] + 1;
        if (s[at + R_MESSAGE] !== s[IN_FLIGHT]) violate(s, WRONG_DEAD_LETTER);
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
        return afterRecovery();
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
    ...wakeAll("recover", SPACE, M.recoverSpace, M.recoverNotify, () => afterRecovery()),

    // takeAll
    [M.takeTail]: {
      text: "takeAll: load(TAIL)",
      run(s) {
        s[MAIN_TAIL] = s[TAIL];
        return M.takeAll;
      },
    },
    [M.takeAll]: {
      text: "takeAll: makes dead letters of what waits",
      alone: true,
      run(s) {
        for (let position = s[HEAD]; position !== s[MAIN_TAIL]; ) {
          const at = world.cell(position);
          position = world.after(position, s[at + R_LENGTH]);
          if (s[at + R_KIND] === KIND_PADDING) continue;
          world.becomesDeadLetter(s, s[at + R_MESSAGE]);
          s[HANDLED_SEQ] = world.seqAfter(s[at + R_SEQ], 1);
        }
        return M.takeCursor;
      },
    },
    [M.takeCursor]: {
      text: "takeAll: store(CURSOR, tail)",
      run(s) {
        s[CURSOR] = s[MAIN_TAIL];
        return M.takeHead;
      },
    },
    [M.takeHead]: {
      text: "takeAll: store(HEAD, tail)",
      run(s) {
        world.finish(s, s[HEAD], s[MAIN_TAIL]);
        s[HEAD] = s[MAIN_TAIL];
        s[MAIN_TAIL] = 0;
        return M.takeSpace;
      },
    },
    ...wakeAll("takeAll", SPACE, M.takeSpace, M.takeNotify, afterTaking),

    // consumedBefore: calls made before it have failed, the others will be answered by the next thread.
    [M.told]: {
      text: "consumedBefore: load(HEAD), load(TAIL)",
      run(s) {
        if (s[HEAD] === s[TAIL]) return M.toldEmpty;
        s[TOLD] = 1 + s[world.cell(s[HEAD]) + R_SEQ];
        return M.restart;
      },
    },
    [M.toldEmpty]: {
      text: `consumedBefore: the ring is empty, reads ${toldHandled ? "HANDLED_SEQ" : "NEXT_SEQ"}`,
      run(s) {
        s[TOLD] = 1 + s[toldHandled ? HANDLED_SEQ : NEXT_SEQ];
        return M.restart;
      },
    },

    // close
    [M.close]: {
      text: "close: store(STATE, closed)",
      run(s) {
        s[STATE] = STATE_CLOSED;
        return M.closeSpace;
      },
    },
    ...wakeAll("close", SPACE, M.closeSpace, M.closeNotify, () => M.restart),

    // release and allocate of slots.ts, when another actor gets the slot
    [M.releaseUid]: {
      text: "release: store(UID, 0)",
      run(s) {
        s[UID] = 0;
        return M.releaseState;
      },
    },
    [M.releaseState]: {
      text: "release: store(STATE, free)",
      run(s) {
        s[STATE] = STATE_FREE;
        return M.free;
      },
    },
    [M.format]: {
      text: "formatSlot: everything but the LOCK",
      run(s) {
        for (const word of [TAIL, HEAD, CURSOR, ROOM_HEAD]) s[word] = world.firstPosition;
        for (const word of [NEXT_SEQ, HANDLED_SEQ]) s[word] = world.firstSeq;
        s[ROOM_SEQ] = world.seqAfter(world.firstSeq, -world.scenario.capacity);
        for (const word of [SPACE, PARKED, TOLD]) s[word] = 0;
        s[STATE] = STATE_OPEN;
        return M.open;
      },
    },
    [M.open]: {
      text: "formatSlot: store(UID), and the new actor starts",
      run(s) {
        s[UID] = 2;
        s[SENDERS[SENDER_B] + PC] = world.senderStart;
        startConsumer(s);
        return M.idle;
      },
    },

    [M.restart]: {
      text: "has dealt with the exit; the next thread starts, if there is to be one",
      alone: true,
      run(s) {
        const dead = s[DEAD];
        s[DEAD] = 0;
        if (dead === SENDER_A || dead === SENDER_B) {
          s[SENDERS[dead] + THREADS]++;
          s[SENDERS[dead] + PC] = s[SENDERS[dead] + SENT] === messages[dead] ? S.done : world.senderStart;
        } else if (afterConsumer === "close" || recycled) {
          s[IN_FLIGHT] = 0;
          s[CLOSING] = CLOSED;
          s[CONSUMER_WORDS + PC] = C.none;
        } else {
          startConsumer(s);
        }
        return s[STATE] === STATE_FREE ? M.free : M.idle;
      },
    },
  };

  function afterRecovery(): number {
    if (afterConsumer === "close") return M.close;
    return afterConsumer === "restart with an empty mailbox" ? M.takeTail : M.told;
  }

  function afterTaking(s: State): number {
    if (s[CLOSING] !== CLOSED) return M.told;
    s[CLOSING] = EMPTIED;
    return recycled ? M.releaseUid : M.idle;
  }

  function startConsumer(s: State): void {
    s[IN_FLIGHT] = 0;
    s[CONSUMER_WORDS + PC] = C.pending;
    s[OWN_HEAD] = s[OWN_TAIL] = s[HEAD];
  }
}
