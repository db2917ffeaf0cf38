import type { Ref } from "nact";
import { absentWhenMissing } from "../baseline/call-peer.js";
import type { Contender } from "../contender.js";
import { type SmallObject, smallObject } from "../payloads.js";
import { initial, tokensFor, Wander } from "./sizes.js";

type Token = SmallObject & { hops?: never };

export function nactAmong(actors: number): Contender {
  return {
    name: "nact",
    how: "same thread, by reference",
    async start() {
      const { default: library } = await import("nact").catch(absentWhenMissing);
      const system = library.start();
      const wander = new Wander();
      const refs: Ref<Token>[] = [];
      let left = 0;
      /** Tokens that have come to rest: they begin the next round. */
      let resting = tokensFor(actors);
      let onRest = (): void => {};
      for (let id = 0; id < actors; id++) {
        refs.push(
          library.spawn(
            system,
            (state = initial(id), message: Token) => {
              state.handled++;
              state.last = message;
              if (left > 0) {
                left--;
                library.dispatch(refs[wander.next(actors)], message);
              } else if (++resting === tokensFor(actors)) onRest();
              return state;
              // The names that nact makes up collide among so many.
            },
            `actor-${id}`,
          ),
        );
      }
      return {
        async round(work) {
          const startedMs = performance.now();
          const rest = new Promise<void>((resolve) => {
            onRest = resolve;
          });
          const tokens = resting;
          resting = 0;
          left = Math.max(0, work - tokens);
          for (let token = 0; token < tokens; token++) library.dispatch(refs[wander.next(actors)], smallObject());
          await rest;
          return { work: Math.max(work, tokens), elapsedMs: performance.now() - startedMs };
        },
        stop: () => library.stop(system),
      };
    },
  };
}
