import { notifyParked, notifySpace } from "./doorbell.js";
import { S } from "./program-counters.js";
import {
  ACCEPTED,
  CELL_WORDS,
  CURSOR,
  DROPPED,
  HANDLED_SEQ,
  HEAD,
  IDENTITY,
  KIND_INSIDE,
  KIND_MESSAGE,
  KIND_PADDING,
  LOCK,
  LOOKED_CURSOR,
  NEXT_SEQ,
  OUTCOME,
  open,
  PARKED,
  R_ATTEMPT,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_PAYLOAD,
  R_SEQ,
  RETRYING,
  ROOM_HEAD,
  ROOM_SEQ,
  SEEN_HEAD,
  SEEN_SEQ,
  SENDERS,
  SENT,
  SEQ,
  SPACE,
  type State,
  TAIL,
  THREADS,
} from "./words.js";
import { EXITED, NOT_ITS_ACTOR, OVERWRITTEN, type Program, violate, type World, WRONG_SEQ } from "./world.js";

// The outcomes of `push`.
const PUSHED = 0;
const FULL = 1;
const CLOSED = 2;

/**
 * A sending thread: the `push` of ring-writer.ts, with `ring` of doorbell.ts; and `waitForRoom` of
 * actor-outbox.ts, whose deadline never comes, so that no wake-up missed is made up for by a timeout.
 */
export function senderProgram(world: World): Program {
  const { ringUnits, capacity, messages, spans, protocol, recycled } = world.scenario;
  const { sharedRoom } = world;
  const passesOn = protocol.refused === "rings for the others";

  const senderOf = (me: number): number => (me === SENDERS[0] ? 0 : 1);
  const inHand = (s: State, me: number): number => world.message(senderOf(me), s[me + SENT]);
  const identityOf = (me: number): number => open(recycled && senderOf(me) === 1 ? 2 : 1);
  const roomHead = (me: number): number => (sharedRoom ? ROOM_HEAD : me + SEEN_HEAD);
  const roomSeq = (me: number): number => (sharedRoom ? ROOM_SEQ : me + SEEN_SEQ);

  /** The two conditions of `#write`, on what was seen of the consumer's words. */
  const isFull = (s: State, me: number): boolean => {
    const needed = world.needed(s[TAIL], spans[senderOf(me)]);
    const units = world.between(world.after(s[TAIL], needed), s[roomHead(me)]);
    return world.seqBetween(s[me + SEQ], s[roomSeq(me)]) >= capacity || units > ringUnits;
  };
  const nextMessage = (s: State, me: number): number => {
    s[me + SENT]++;
    s[me + RETRYING] = 0;
    return s[me + SENT] === messages[senderOf(me)] ? S.done : S.lock;
  };
  const pushed = (s: State, me: number): number => (s[me + DROPPED] === 0 ? nextMessage(s, me) : S.account);

  /** Records accepted so far by the actor it writes to. */
  const accepted = (s: State, me: number): number => {
    let count = 0;
    for (let message = 1; message <= world.allMessages; message++) {
      if (!recycled || world.senderOf(message) === senderOf(me)) count += s[ACCEPTED + message];
    }
    return count;
  };

  return {
    // Only where each writer keeps for itself what it has seen.
    [S.newWriter]: {
      text: "new RingWriter: #head = load(HEAD)",
      run(s, me) {
        s[me + SEEN_HEAD] = s[HEAD];
        return S.newWriterSeq;
      },
    },
    [S.newWriterSeq]: {
      text: "new RingWriter: #cursorSeq = NEXT_SEQ − capacity, as if full",
      run(s, me) {
        s[me + SEEN_SEQ] = world.seqAfter(s[NEXT_SEQ], -capacity);
        return S.lock;
      },
    },

    // push. While the lock is not free, `acquireSlowly` spins and naps: nothing but its freedom ends that.
    [S.lock]: {
      text: "push: compareExchange(LOCK, 0, me) succeeds",
      when: (s) => s[LOCK] === 0,
      run(s, me) {
        world.acquire(s, senderOf(me), s[me + THREADS]);
        return S.identity;
      },
    },

    // #write
    [S.identity]: {
      text: "#write: load(IDENTITY)",
      run(s, me) {
        if (s[IDENTITY] === identityOf(me)) return S.room;
        s[me + OUTCOME] = CLOSED;
        return S.unlock;
      },
    },
    [S.room]: {
      text: "#write: reads TAIL and NEXT_SEQ, compares with the room last seen",
      run(s, me) {
        s[me + SEQ] = s[NEXT_SEQ];
        return isFull(s, me) ? S.lookHead : S.header;
      },
    },
    [S.lookHead]: {
      text: "#look: load(HEAD)",
      run(s, me) {
        s[roomHead(me)] = s[HEAD];
        return S.lookCursor;
      },
    },
    [S.lookCursor]: {
      text: "#look: load(CURSOR)",
      run(s, me) {
        s[me + LOOKED_CURSOR] = s[CURSOR];
        return S.lookSeq;
      },
    },
    [S.lookSeq]: {
      text: "#look: reads the seq at the cursor; #write compares again",
      run(s, me) {
        const cursor = s[me + LOOKED_CURSOR];
        s[roomSeq(me)] = cursor === s[TAIL] ? s[me + SEQ] : s[world.cell(cursor) + R_SEQ];
        s[me + LOOKED_CURSOR] = 0;
        world.clearUnpublished(s);
        if (!isFull(s, me)) return S.header;
        if (world.dropsOldest && s[roomHead(me)] !== s[TAIL]) return S.dropRead;
        s[me + OUTCOME] = FULL;
        s[me + SEQ] = 0;
        return S.unlock;
      },
    },
    [S.dropRead]: {
      text: "#dropOldest: reads the record at the head, HANDLED_SEQ = its seq + 1",
      run(s, me) {
        const at = world.cell(s[roomHead(me)]);
        if (s[at + R_KIND] !== KIND_PADDING) {
          s[me + DROPPED] = s[at + R_MESSAGE];
          s[HANDLED_SEQ] = world.seqAfter(s[at + R_SEQ], 1);
        }
        return S.dropCursor;
      },
    },
    [S.dropCursor]: {
      text: "#dropOldest: store(CURSOR)",
      run(s, me) {
        const head = s[roomHead(me)];
        s[CURSOR] = world.after(head, s[world.cell(head) + R_LENGTH]);
        return S.dropHead;
      },
    },
    [S.dropHead]: {
      text: "#dropOldest: store(HEAD)",
      run(s, me) {
        world.finish(s, s[HEAD], s[CURSOR]);
        s[HEAD] = s[CURSOR];
        if (protocol.drops === "with the head" && s[me + DROPPED] !== 0) {
          world.becomesDeadLetter(s, s[me + DROPPED]);
          s[me + DROPPED] = 0;
        }
        return S.lookHead;
      },
    },
    [S.header]: {
      text: "#write: writes the header, after padding where there is a wrap",
      run(s, me) {
        const span = spans[senderOf(me)];
        const toEnd = world.unitsToEnd(s[TAIL]);
        const needed = world.needed(s[TAIL], span);
        if (world.between(s[TAIL], s[HEAD]) + needed > ringUnits) violate(s, OVERWRITTEN);
        if (s[IDENTITY] >> 2 !== identityOf(me) >> 2) violate(s, NOT_ITS_ACTOR);
        if (s[me + SEQ] !== world.seqAfter(world.firstSeq, accepted(s, me))) violate(s, WRONG_SEQ);
        let at = world.cell(s[TAIL]);
        if (needed !== span) {
          s.fill(0, at, at + CELL_WORDS);
          s[at + R_KIND] = KIND_PADDING;
          s[at + R_LENGTH] = toEnd;
          s[at + R_SEQ] = s[me + SEQ];
          at = world.cell(world.after(s[TAIL], toEnd));
        }
        s[at + R_KIND] = KIND_MESSAGE;
        s[at + R_LENGTH] = span;
        s[at + R_SEQ] = s[me + SEQ];
        s[at + R_MESSAGE] = inHand(s, me);
        s[at + R_ATTEMPT] = 0;
        return S.payload;
      },
    },
    [S.payload]: {
      text: "#write: copyIn, the payload",
      run(s, me) {
        const span = spans[senderOf(me)];
        const start = world.after(s[TAIL], world.needed(s[TAIL], span) - span);
        s[world.cell(start) + R_PAYLOAD] = inHand(s, me);
        for (let unit = 1; unit < span; unit++) {
          const at = world.cell(world.after(start, unit));
          s.fill(0, at, at + CELL_WORDS);
          s[at + R_KIND] = KIND_INSIDE;
          s[at + R_PAYLOAD] = inHand(s, me);
        }
        return S.count;
      },
    },
    [S.count]: {
      text: "#write: NEXT_SEQ = seq + 1",
      run(s, me) {
        s[NEXT_SEQ] = world.seqAfter(s[me + SEQ], 1);
        s[me + SEQ] = 0;
        return S.publish;
      },
    },
    [S.publish]: {
      text: "#write: store(TAIL), which publishes the record",
      run(s, me) {
        s[TAIL] = world.after(s[TAIL], world.needed(s[TAIL], spans[senderOf(me)]));
        s[ACCEPTED + inHand(s, me)] = 1;
        s[me + OUTCOME] = PUSHED;
        return S.unlock;
      },
    },
    [S.unlock]: {
      text: "push: store(LOCK, 0)",
      run(s, me) {
        s[LOCK] = 0;
        const outcome = s[me + OUTCOME];
        s[me + OUTCOME] = 0;
        if (outcome === PUSHED) return S.ringLoad;
        if (outcome === CLOSED) return s[me + RETRYING] === 1 && passesOn ? S.passLoad : nextMessage(s, me);
        return s[me + RETRYING] === 1 ? S.wait : S.announce;
      },
    },
    [S.ringLoad]: {
      text: "ring: load(PARKED)",
      run: (s, me) => (s[PARKED] === 1 ? S.ringTake : pushed(s, me)),
    },
    [S.ringTake]: {
      text: "ring: compareExchange(PARKED, 1, 0)",
      run(s, me) {
        if (s[PARKED] !== 1) return pushed(s, me);
        s[PARKED] = 0;
        return S.ringNotify;
      },
    },
    [S.ringNotify]: {
      text: "ring: notify(PARKED)",
      run(s, me) {
        notifyParked(s);
        return pushed(s, me);
      },
    },
    [S.account]: {
      text: "#accountForDropped: counts what it dropped and tells main",
      run(s, me) {
        world.becomesDeadLetter(s, s[me + DROPPED]);
        s[me + DROPPED] = 0;
        return nextMessage(s, me);
      },
    },

    // waitForRoom, from when the first push found the ring full.
    [S.announce]: {
      text: "waitForRoom: announce, store(SPACE, 1), then retry",
      run(s, me) {
        s[me + RETRYING] = 1;
        s[SPACE] = 1;
        return S.lock;
      },
    },
    [S.wait]: {
      text: "waitForRoom: sleep, wait(SPACE, 1)",
      run: (s) => (s[SPACE] === 1 ? S.asleep : S.announce),
    },
    [S.passLoad]: {
      text: "waitForRoom: closed, ring, load(SPACE)",
      run: (s, me) => (s[SPACE] === 1 ? S.passTake : nextMessage(s, me)),
    },
    [S.passTake]: {
      text: "waitForRoom: closed, ring, compareExchange(SPACE, 1, 0)",
      run(s, me) {
        if (s[SPACE] !== 1) return nextMessage(s, me);
        s[SPACE] = 0;
        return S.passNotify;
      },
    },
    [S.passNotify]: {
      text: "waitForRoom: closed, ring, notify(SPACE)",
      run(s, me) {
        notifySpace(s);
        return nextMessage(s, me);
      },
    },
    [S.asleep]: { text: "sleeps until SPACE is notified", when: () => false, run: () => S.asleep },
    [S.early]: { text: "is not there yet", when: () => false, run: () => S.early },
    [S.done]: { text: "has sent everything", when: () => false, run: () => S.done },
    [EXITED]: { text: "has exited", when: () => false, run: () => EXITED },
  };
}
