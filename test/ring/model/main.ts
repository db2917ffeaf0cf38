import { wakeAll } from "./doorbell.js";
import { mailboxProgram } from "./mailbox.js";
import { C, M, S } from "./program-counters.js";
import { CONSUMER, SENDER_A, SENDER_B } from "./scenario.js";
import {
  CLAIMED,
  CLOSING,
  CONSUMER_THREADS,
  CONSUMER_WORDS,
  DEAD,
  HEAD,
  IDENTITY,
  IN_FLIGHT,
  isClosed,
  LOCK,
  OWN_HEAD,
  OWN_TAIL,
  open,
  PARKED,
  PC,
  SENDERS,
  SENT,
  SPACE,
  type State,
  THREADS,
  TOLD,
  UNDELIVERED,
} from "./words.js";
import type { Program, World } from "./world.js";

// How far main has got with a mailbox that has no consumer any more.
/** Closed: as soon as no producer is inside, what waits becomes dead letters. */
const CLOSED = 1;
/** Nothing waits in it any more. */
const EMPTIED = 2;

/**
 * Main, once a thread has exited: `repair` of slots.ts, then for the consumer what `#onThreadExit` of actor-life.ts
 * does; and `release` and `allocate` of slots.ts.
 */
export function mainProgram(world: World): Program {
  const { messages, afterConsumer, protocol, recycled } = world.scenario;
  const recountsFirst = protocol.recount === "before the lock is free";

  const ownsLock = (s: State): boolean => {
    const thread = s[DEAD] === CONSUMER ? s[CONSUMER_THREADS] : s[SENDERS[s[DEAD]] + THREADS];
    return s[LOCK] === world.ownerId(s[DEAD], thread);
  };
  const wakeIf = (s: State, heldLock: boolean): number => {
    if (protocol.repairWakes === "everyone") return M.spaceStore;
    return protocol.repairWakes !== "none" && heldLock ? M.spaceStore : afterRepair(s);
  };

  return {
    ...mailboxProgram(world, { recounted, recovered, taken }),

    // In its event loop, where exits come in any order.
    [M.idle]: {
      text: "settled: load(LOCK) is 0, the closed mailbox can be emptied",
      when: (s) => s[CLOSING] === CLOSED && s[LOCK] === 0,
      run: () => M.takeArea,
    },
    [M.free]: { text: "allocate: the free slot is for another actor", run: () => M.format },

    // repair
    [M.lock]: {
      text: recountsFirst ? "repair: load(LOCK), is it the dead thread's?" : "repair: compareExchange(LOCK, dead, 0)",
      run(s) {
        const slotInUse = s[IDENTITY] !== 0 || protocol.repairs === "every slot";
        if (!slotInUse) return M.restart;
        if (!ownsLock(s)) return wakeIf(s, false);
        if (!recountsFirst) s[LOCK] = 0;
        return M.recountTail;
      },
    },
    [M.unlock]: {
      text: "repair: store(LOCK, 0)",
      run(s) {
        s[LOCK] = 0;
        return wakeIf(s, true);
      },
    },
    ...wakeAll("repair", SPACE, M.spaceStore, M.spaceNotify, () => M.parkedStore),
    ...wakeAll("repair", PARKED, M.parkedStore, M.parkedNotify, afterRepair),

    // release and allocate of slots.ts, when another actor gets the slot
    [M.release]: {
      text: "release: store(IDENTITY, 0)",
      run(s) {
        s[IDENTITY] = 0;
        return M.free;
      },
    },
    [M.format]: {
      text: "formatSlot: everything but the LOCK",
      run(s) {
        world.format(s);
        s[TOLD] = 0;
        return M.open;
      },
    },
    [M.open]: {
      text: "formatSlot: store(IDENTITY), and the new actor starts",
      run(s) {
        s[IDENTITY] = open(2);
        s[SENDERS[SENDER_B] + PC] = world.senderStart;
        startConsumer(s);
        return M.idle;
      },
    },

    [M.restart]: {
      text: "has dealt with the exit; the next thread starts, if there is to be one",
      run(s) {
        const dead = s[DEAD];
        s[DEAD] = 0;
        if (dead === SENDER_A || dead === SENDER_B) {
          s[SENDERS[dead] + THREADS]++;
          s[SENDERS[dead] + PC] = s[SENDERS[dead] + SENT] === messages[dead] ? S.done : world.senderStart;
        } else if (isClosed(s)) {
          s[CLAIMED] = 0;
          s[CLOSING] = CLOSED;
          s[CONSUMER_WORDS + PC] = C.none;
        } else {
          startConsumer(s);
        }
        return s[IDENTITY] === 0 ? M.free : M.idle;
      },
    },
  };

  function recounted(s: State): number {
    return recountsFirst ? M.unlock : wakeIf(s, true);
  }

  function afterRepair(s: State): number {
    if (s[DEAD] !== CONSUMER) return M.restart;
    return world.recoversFirst ? afterBoth() : M.recover;
  }

  function recovered(): number {
    return world.recoversFirst ? M.lock : afterBoth();
  }

  function afterBoth(): number {
    if (afterConsumer === "close") return M.close;
    return afterConsumer === "restart with an empty mailbox" ? M.takeArea : M.told;
  }

  function taken(s: State): number {
    if (s[CLOSING] !== CLOSED) return M.told;
    s[CLOSING] = EMPTIED;
    return recycled ? M.release : M.idle;
  }

  function startConsumer(s: State): void {
    s[CLAIMED] = 0;
    s[CONSUMER_WORDS + PC] = C.pending;
    if (world.dropsOldest) {
      s[CONSUMER_THREADS]++;
      s[UNDELIVERED] = s[IN_FLIGHT] === 0 ? 0 : 1;
    } else {
      s[OWN_HEAD] = s[OWN_TAIL] = s[HEAD];
    }
  }
}
