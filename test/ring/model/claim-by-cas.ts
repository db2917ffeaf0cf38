import { S } from "./program-counters.js";
import { SENDER_A } from "./scenario.js";
import { senderProgram } from "./sender.js";
import {
  ACCEPTED,
  HEAD,
  KIND_MESSAGE,
  LOOKED_CURSOR,
  NEXT_SEQ,
  R_KIND,
  R_LENGTH,
  R_MESSAGE,
  R_PAYLOAD,
  R_SEQ,
  RETRYING,
  SEEN_HEAD,
  SENDERS,
  SENT,
  SEQ,
  type State,
  TAIL,
} from "./words.js";
import type { Program, World } from "./world.js";

/**
 * How a sender gets its place without a lock, as in Agrona: it moves the tail by compare-and-swap, then writes its
 * record, the kind last, for which the consumer waits. For records of one unit. This is the protocol we do not have.
 */
export function claimByCompareAndSwap(world: World): Program {
  const locked = senderProgram(world);
  const { ringUnits } = world.scenario;
  const inHand = (s: State, me: number): number => world.message(me === SENDERS[0] ? SENDER_A : 1, s[me + SENT]);
  return {
    ...locked,
    [S.lock]: {
      text: "claim: load(HEAD)",
      run(s, me) {
        s[me + SEEN_HEAD] = s[HEAD];
        return S.claimTail;
      },
    },
    [S.claimTail]: {
      text: "claim: load(TAIL)",
      run(s, me) {
        s[me + LOOKED_CURSOR] = s[TAIL];
        s[me + SEQ] = s[NEXT_SEQ];
        if (world.between(world.after(s[TAIL], 1), s[me + SEEN_HEAD]) <= ringUnits) return S.claimSwap;
        s[me + SEEN_HEAD] = s[me + LOOKED_CURSOR] = s[me + SEQ] = 0;
        return s[me + RETRYING] === 1 ? S.wait : S.announce;
      },
    },
    [S.claimSwap]: {
      text: "claim: compareExchange(TAIL, tail, tail + length)",
      run(s, me) {
        s[me + SEEN_HEAD] = 0;
        if (s[TAIL] !== s[me + LOOKED_CURSOR]) {
          s[me + LOOKED_CURSOR] = s[me + SEQ] = 0;
          return S.lock;
        }
        s[TAIL] = world.after(s[TAIL], 1);
        // Records of one size: the seq follows from the position.
        s[NEXT_SEQ] = world.seqAfter(s[me + SEQ], 1);
        return S.claimWrite;
      },
    },
    [S.claimWrite]: {
      text: "claim: writes the record, store of its kind last",
      run(s, me) {
        const at = world.cell(s[me + LOOKED_CURSOR]);
        s[at + R_KIND] = KIND_MESSAGE;
        s[at + R_LENGTH] = 1;
        s[at + R_SEQ] = s[me + SEQ];
        s[at + R_MESSAGE] = s[at + R_PAYLOAD] = inHand(s, me);
        s[ACCEPTED + inHand(s, me)] = 1;
        s[me + LOOKED_CURSOR] = s[me + SEQ] = 0;
        return S.ringLoad;
      },
    },
  };
}
