import { defineActor, ReplyError } from "@mini-otp/worker-host";

export interface Reading {
  readonly at: number;
  readonly celsius: number;
}

/** What is kept for one device. */
interface Device {
  seenAt: number;
  readings: number;
  sum: number;
  last: number;
}

const FORGET_AFTER_MS = 15 * 60_000;
const SWEEP_MS = 60_000;

const newDevice = (): Device => ({ seenAt: 0, readings: 0, sum: 0, last: Number.NaN });

/** All devices whose keys lead here. A device exists from its first message on, until nothing came for 15 minutes. */
export default defineActor({
  init(_args: undefined, ctx) {
    ctx.sendInterval(SWEEP_MS, "sweep");
    return new Map<string, Device>();
  },
  handlers: {
    report({ state: devices }, id: string, { at, celsius }: Reading) {
      const device = devices.get(id) ?? newDevice();
      devices.set(id, device);
      try {
        record(device, celsius);
        device.seenAt = at;
        return device.readings;
      } catch (error) {
        // The other devices keep their state: only this one starts again, as after a crash of its own.
        devices.delete(id);
        throw error;
      }
    },
    average({ state: devices }, id: string) {
      const device = devices.get(id);
      if (device === undefined) throw new ReplyError(`no readings of ${id}`, { code: "NO_READINGS" });
      return device.sum / device.readings;
    },
    count: ({ state: devices }) => devices.size,
    sweep({ state: devices }, now = Date.now()) {
      for (const [id, { seenAt }] of devices) if (now - seenAt > FORGET_AFTER_MS) devices.delete(id);
      return devices.size;
    },
  },
  // What a handler throws fails its call, and the actor with all the other devices goes on.
  throws: "reply",
});

function record(device: Device, celsius: number): void {
  device.readings++;
  device.sum += celsius;
  device.last = celsius;
  if (!Number.isFinite(device.sum)) throw new RangeError(`${celsius} is no temperature`);
}
