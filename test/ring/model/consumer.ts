import { notifySpace } from "./doorbell.js";
import { C } from "./program-counters.js";
import {
  CLAIMED,
  COMMITTED,
  CURRENT,
  CURRENT_SEQ,
  CURSOR,
  END,
  FINISHED,
  HANDLED_SEQ,
  HEAD,
  KIND_INSIDE,
  KIND_MESSAGE,
  KIND_NONE,
  KIND_PADDING,
  NEXT_SEQ,
  OWN_HEAD,
  OWN_TAIL,
  PARKED,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_PAYLOAD,
  R_SEQ,
  RUNS,
  SPACE,
  type State,
  TAIL,
  TOLD,
  WAKE_TAIL,
} from "./words.js";
import { EXITED, type Program, TOLD_DEAD, TORN, violate, type World } from "./world.js";

/**
 * The consuming thread: `next` and `commit` of ring-reader.ts around a handler, and `sleep` of inbox.ts when
 * there is nothing to do, without a timeout. That it looks a few times more before it announces itself changes nothing.
 */
export function consumerProgram(world: World): Program {
  const { ringUnits, capacity, protocol } = world.scenario;
  const headFirst = protocol.inFlight === "head before the handler, no cursor";
  const claimed = protocol.claim === "by compare-and-swap of the tail, then the header";

  /** `get pending`, as far as it needs no look at the tail. */
  const pendingOr = (s: State, otherwise: number): number => (s[OWN_HEAD] !== s[OWN_TAIL] ? C.header : otherwise);
  const storeHead = (s: State): void => {
    world.finish(s, s[HEAD], s[END]);
    s[OWN_HEAD] = s[HEAD] = s[END];
  };
  const afterWaking = (s: State): number => (s[COMMITTED] === 1 ? finished(s) : C.handle);
  const finished = (s: State): number => {
    s[COMMITTED] = s[CURRENT] = s[CURRENT_SEQ] = s[END] = 0;
    return pendingOr(s, C.pending);
  };

  return {
    [C.pending]: {
      text: "pending: load(TAIL)",
      run(s) {
        s[OWN_TAIL] = s[TAIL];
        return pendingOr(s, C.announce);
      },
    },

    // next
    [C.header]: {
      text: "next: skips padding, copies the header",
      when: (s) => !claimed || s[world.cell(s[OWN_HEAD]) + R_KIND] !== KIND_NONE,
      run(s) {
        if (!world.published(s, s[OWN_HEAD])) violate(s, TORN);
        let at = world.cell(s[OWN_HEAD]);
        if (s[at + R_KIND] === KIND_PADDING) {
          s[OWN_HEAD] = world.after(s[OWN_HEAD], s[at + R_LENGTH]);
          at = world.cell(s[OWN_HEAD]);
        }
        if (s[at + R_KIND] !== KIND_MESSAGE) violate(s, TORN);
        s[CURRENT] = s[at + R_MESSAGE];
        s[CURRENT_SEQ] = s[at + R_SEQ];
        s[END] = world.after(s[OWN_HEAD], s[at + R_LENGTH]);
        return C.payload;
      },
    },
    [C.payload]: {
      text: "next: copyOut, the payload",
      run(s) {
        for (let position = s[OWN_HEAD]; position !== s[END]; position = world.after(position, 1)) {
          const at = world.cell(position);
          if (s[at + R_PAYLOAD] !== s[CURRENT]) violate(s, TORN);
          if (position !== s[OWN_HEAD] && s[at + R_KIND] !== KIND_INSIDE) violate(s, TORN);
        }
        return headFirst ? C.headFirst : C.cursor;
      },
    },
    [C.cursor]: {
      // Only when nothing else is known to wait is it an atomic store, and SPACE looked at. Otherwise it is a plain
      // one, which others see at the latest with the store of the head; the handler between is nothing they see.
      text: "next: CURSOR = end, the message is in flight",
      run(s) {
        s[CURSOR] = s[END];
        s[CLAIMED] = s[CURRENT];
        return s[END] === s[OWN_TAIL] ? C.space : C.handle;
      },
    },
    [C.headFirst]: {
      text: "next: store(HEAD) before the handler",
      run(s) {
        storeHead(s);
        s[CURSOR] = s[HEAD];
        s[HANDLED_SEQ] = world.seqAfter(s[CURRENT_SEQ], 1);
        return C.handle;
      },
    },
    [C.space]: {
      text: "next or commit: load(SPACE)",
      run: (s) => (s[SPACE] !== 0 ? C.wakeTail : afterWaking(s)),
    },

    // #wakeWhenRoomy
    [C.wakeTail]: {
      text: "#wakeWhenRoomy: load(TAIL)",
      run(s) {
        s[WAKE_TAIL] = s[TAIL];
        return C.wakeSeq;
      },
    },
    [C.wakeSeq]: {
      text: "#wakeWhenRoomy: reads NEXT_SEQ; is half the ring free?",
      run(s) {
        const tail = s[WAKE_TAIL];
        s[WAKE_TAIL] = 0;
        const waitingUnits = world.between(tail, s[OWN_HEAD]);
        const waiting = world.seqBetween(s[NEXT_SEQ], s[CURRENT_SEQ]) - 1;
        const half = waiting <= Math.max(1, capacity >> 1) && waitingUnits <= ringUnits >> 1;
        return s[END] === tail || half ? C.ringLoad : afterWaking(s);
      },
    },
    [C.ringLoad]: {
      text: "ring: load(SPACE)",
      run: (s) => (s[SPACE] === 1 ? C.ringTake : afterWaking(s)),
    },
    [C.ringTake]: {
      text: "ring: compareExchange(SPACE, 1, 0)",
      run(s) {
        if (s[SPACE] !== 1) return afterWaking(s);
        s[SPACE] = 0;
        return C.ringNotify;
      },
    },
    [C.ringNotify]: {
      text: "ring: notify(SPACE)",
      run(s) {
        notifySpace(s);
        return afterWaking(s);
      },
    },

    [C.handle]: {
      text: "the handler runs",
      run(s) {
        world.handles(s, s[CURRENT]);
        if (s[TOLD] !== 0 && world.seqBetween(s[CURRENT_SEQ], s[TOLD] - 1) < 0) violate(s, TOLD_DEAD);
        s[TOLD] = 0;
        if (!headFirst) return C.handledSeq;
        s[RUNS + s[CURRENT]] = FINISHED;
        s[COMMITTED] = 1;
        return C.space;
      },
    },

    // commit
    [C.handledSeq]: {
      text: "commit: HANDLED_SEQ = seq + 1",
      run(s) {
        s[HANDLED_SEQ] = world.seqAfter(s[CURRENT_SEQ], 1);
        return C.head;
      },
    },
    [C.head]: {
      text: "commit: store(HEAD), the message is finished with",
      run(s) {
        storeHead(s);
        s[RUNS + s[CURRENT]] = FINISHED;
        s[CLAIMED] = 0;
        s[COMMITTED] = 1;
        return C.space;
      },
    },

    // Inbox.sleep
    [C.announce]: {
      text: "sleep: announce, store(PARKED, 1)",
      run(s) {
        s[PARKED] = 1;
        return C.look;
      },
    },
    [C.look]: {
      text: "sleep: looks again, load(TAIL)",
      run(s) {
        s[OWN_TAIL] = s[TAIL];
        return s[OWN_HEAD] === s[OWN_TAIL] ? C.wait : C.retract;
      },
    },
    [C.wait]: {
      text: "sleep: wait(PARKED, 1)",
      run: (s) => (s[PARKED] === 1 ? C.asleep : C.retract),
    },
    [C.asleep]: { text: "sleeps until PARKED is notified", when: () => false, run: () => C.asleep },
    [C.retract]: {
      text: "sleep: retract, store(PARKED, 0)",
      run(s) {
        s[PARKED] = 0;
        return pendingOr(s, C.pending);
      },
    },
    [C.none]: { text: "is gone", when: () => false, run: () => C.none },
    [EXITED]: { text: "has exited", when: () => false, run: () => EXITED },
  };
}
