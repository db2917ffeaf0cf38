import { move } from "piscina";

/** A worker file as it was written for piscina: nothing in it changes. */
export default function primes(limit: number): unknown {
  const found: number[] = [];
  for (let n = 2; n <= limit; n++) if (found.every((prime) => n % prime !== 0)) found.push(n);
  return move(Uint32Array.from(found));
}
