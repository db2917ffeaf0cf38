import { type ActorRef, defineActor } from "@mini-otp/worker-host";

const isPrime = (n: number): boolean => {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return n > 1;
};

const primes = defineActor({
  init: () => ({ tried: 0, ended: 0 }),
  handlers: {
    /** Yields without end: the reader decides how many there are. */
    async *primes({ state }, from: number) {
      try {
        for (let n = from; ; n++) {
          state.tried++;
          if (isPrime(n)) yield n;
        }
      } finally {
        state.ended++;
      }
    },
    tried: (ctx) => ctx.state.tried,
    ended: (ctx) => ctx.state.ended,
    /** Reads another's stream: the items go from thread to thread, past the main thread. */
    async twins(_ctx, other: ActorRef, count: number) {
      const twins: string[] = [];
      let before = -1;
      for await (const prime of other.stream("primes", 1)) {
        if (prime - before === 2) twins.push(`${before}+${prime}`);
        before = prime;
        if (twins.length === count) return twins;
      }
      return [];
    },
  },
});

export default primes;
