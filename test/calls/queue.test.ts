import { Queue } from "@mini-otp/worker-host/protocol/calls";
import fc from "fast-check";
import { expect, test } from "vitest";

test("whatever is pushed, taken and removed, a queue has the order of an array", () => {
  const push = fc.record({ kind: fc.constant("push" as const), count: fc.nat(3_000) });
  const shift = fc.record({ kind: fc.constant("shift" as const), count: fc.nat(3_000) });
  const remove = fc.record({ kind: fc.constant("remove" as const), count: fc.nat() });
  fc.assert(
    fc.property(fc.array(fc.oneof(push, shift, remove), { maxLength: 12 }), (steps) => {
      const queue = new Queue<number>();
      const array: number[] = [];
      let next = 0;
      for (const { kind, count } of steps) {
        if (kind === "push") {
          for (let i = 0; i < count; i++) {
            queue.push(next);
            array.push(next++);
          }
        } else if (kind === "shift") {
          for (let i = 0; i < count; i++) if (queue.shift() !== array.shift()) expect.fail(`not the first (${i})`);
        } else {
          const item = array[count % Math.max(1, array.length)] ?? -1;
          expect(queue.remove(item)).toBe(array.includes(item));
          expect(queue.remove(item)).toBe(false);
          if (array.includes(item)) array.splice(array.indexOf(item), 1);
        }
        expect(queue.length).toBe(array.length);
        expect(queue.first).toBe(array[0]);
        expect([...queue]).toEqual(array);
      }
    }),
  );
});
