import { defineActor } from "@mini-otp/worker-host";

export interface Reading {
  readonly sensor: string;
  readonly count: number;
}

/** Keeps the last reading of each sensor that comes to it: by consistent_hash a sensor always comes to the same one. */
export default defineActor({
  init: () => ({ readings: 0, last: new Map<string, number>(), inOrder: true }),
  handlers: {
    take(ctx, { sensor, count }: Reading) {
      const { state } = ctx;
      state.readings++;
      state.inOrder &&= count > (state.last.get(sensor) ?? -1);
      state.last.set(sensor, count);
    },
    summary: ({ state }) => ({ readings: state.readings, sensors: state.last.size, inOrder: state.inOrder }),
  },
});
