import { consumerProgram } from "./consumer.js";
import { C } from "./program-counters.js";
import { CONSUMER } from "./scenario.js";
import {
  AREA_ATTEMPT,
  AREA_MESSAGE,
  AREA_SEQ,
  CLAIMED,
  CLAIMED_SEQ,
  CONSUMER_THREADS,
  CURRENT,
  CURRENT_SEQ,
  CURSOR,
  END,
  FINISHED,
  HANDLED_SEQ,
  HEAD,
  IN_FLIGHT,
  KIND_MESSAGE,
  KIND_PADDING,
  LOCK,
  OWN_HEAD,
  PARKED,
  R_ATTEMPT,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_PAYLOAD,
  R_SEQ,
  RUNS,
  type State,
  TAIL,
  TAKEN_AGAIN,
  TO_DELIVER,
  UNDELIVERED,
} from "./words.js";
import { type Program, TORN, violate, type World } from "./world.js";

/** The consumer of a mailbox that drops its oldest: `next`, `#claim` and `commit` of dropping-reader.ts. */
export function droppingConsumerProgram(world: World): Program {
  const waiting = consumerProgram(world);
  /** `next` for what an earlier thread died handling. */
  const redeliver = (s: State): number => {
    s[UNDELIVERED] = 0;
    if (s[IN_FLIGHT] === TO_DELIVER) s[IN_FLIGHT] = TAKEN_AGAIN;
    s[CURRENT] = s[CLAIMED] = s[AREA_MESSAGE];
    s[CURRENT_SEQ] = s[AREA_SEQ];
    return C.handle;
  };
  const finished = (s: State): number => {
    s[CURRENT] = s[CURRENT_SEQ] = s[END] = s[OWN_HEAD] = 0;
    return C.pending;
  };

  return {
    ...waiting,
    [C.pending]: {
      text: "pending: load(HEAD); or next: takes what its predecessor died handling",
      run(s) {
        if (s[UNDELIVERED] === 1) return redeliver(s);
        s[OWN_HEAD] = s[HEAD];
        return C.pendingTail;
      },
    },
    [C.pendingTail]: {
      text: "pending: load(TAIL)",
      run(s) {
        const some = s[OWN_HEAD] !== s[TAIL];
        s[OWN_HEAD] = 0;
        return some ? C.lock : C.announce;
      },
    },

    // next and #claim
    [C.lock]: {
      text: "next: compareExchange(LOCK, 0, me) succeeds",
      when: (s) => s[LOCK] === 0,
      run(s) {
        world.acquire(s, CONSUMER, s[CONSUMER_THREADS]);
        return C.claimTail;
      },
    },
    [C.claimTail]: {
      text: "#claim: reads HEAD, load(TAIL)",
      run(s) {
        s[OWN_HEAD] = s[HEAD];
        return s[OWN_HEAD] === s[TAIL] ? C.unlock : C.claimCopy;
      },
    },
    [C.claimCopy]: {
      text: "#claim: copies the record to the in-flight area",
      run(s) {
        let start = s[OWN_HEAD];
        let at = world.cell(start);
        if (s[at + R_KIND] === KIND_PADDING) {
          start = world.after(start, s[at + R_LENGTH]);
          at = world.cell(start);
        }
        if (s[at + R_KIND] !== KIND_MESSAGE || s[at + R_PAYLOAD] !== s[at + R_MESSAGE]) violate(s, TORN);
        s[AREA_MESSAGE] = s[CURRENT] = s[at + R_MESSAGE];
        s[AREA_SEQ] = s[CURRENT_SEQ] = s[at + R_SEQ];
        s[AREA_ATTEMPT] = s[at + R_ATTEMPT];
        s[END] = world.after(start, s[at + R_LENGTH]);
        return C.claimFlag;
      },
    },
    [C.claimFlag]: {
      text: "#claim: store(IN_FLIGHT, head | 1)",
      run(s) {
        s[IN_FLIGHT] = s[OWN_HEAD] + 1;
        return C.claimSeq;
      },
    },
    [C.claimSeq]: {
      text: "#claim: CLAIMED_SEQ = seq + 1",
      run(s) {
        s[CLAIMED_SEQ] = world.seqAfter(s[CURRENT_SEQ], 1);
        return C.claimHandled;
      },
    },
    [C.claimHandled]: {
      text: "#claim: store(HANDLED_SEQ, seq + 1)",
      run(s) {
        s[HANDLED_SEQ] = world.seqAfter(s[CURRENT_SEQ], 1);
        return C.claimCursor;
      },
    },
    [C.claimCursor]: {
      text: "#claim: store(CURSOR)",
      run(s) {
        s[CURSOR] = s[END];
        return C.claimHead;
      },
    },
    [C.claimHead]: {
      text: "#claim: store(HEAD), the message is in flight",
      run(s) {
        world.finish(s, s[HEAD], s[END]);
        s[HEAD] = s[END];
        s[CLAIMED] = s[CURRENT];
        return C.unlock;
      },
    },
    [C.unlock]: {
      text: "next: store(LOCK, 0)",
      run(s) {
        s[LOCK] = 0;
        // `wakeProducers`.
        return s[CURRENT] === 0 ? finished(s) : C.ringLoad;
      },
    },

    [C.handledSeq]: {
      text: "commit: store(IN_FLIGHT, 0), the message is finished with",
      run(s) {
        s[IN_FLIGHT] = 0;
        s[RUNS + s[CURRENT]] = FINISHED;
        s[CLAIMED] = 0;
        return finished(s);
      },
    },

    // Inbox.sleep
    [C.look]: {
      text: "sleep: looks again, load(HEAD)",
      run(s) {
        s[OWN_HEAD] = s[HEAD];
        return C.lookTail;
      },
    },
    [C.lookTail]: {
      text: "sleep: looks again, load(TAIL)",
      run(s) {
        const none = s[OWN_HEAD] === s[TAIL];
        s[OWN_HEAD] = 0;
        return none ? C.wait : C.retract;
      },
    },
    [C.retract]: {
      text: "sleep: retract, store(PARKED, 0)",
      run(s) {
        s[PARKED] = 0;
        return C.pending;
      },
    },
  };
}
