import { actorRoundTrips } from "../actors/round-trips.js";
import { erlangPingPong } from "../baseline/erlang.js";
import { goPingPong } from "../baseline/go.js";
import { pollingRoundTrips, postMessageRoundTrips } from "../baseline/post-message/round-trips.js";
import type { Bench } from "../contender.js";

const topology = "ping-pong-latency";
/** Longer than any contender spins. */
const PAUSE_MS = 2;
const WAITING = 100_000;
/** Enough for V8 to compile what a round trip runs for good. */
const IN_A_ROW = 30_000;

export const pingPongLatency: readonly Bench[] = [
  {
    topology,
    work: "small object there, number back, both hot",
    measures: "latency",
    units: "round trips",
    baseline: "postMessage",
    contenders: [
      actorRoundTrips({ name: "mini-otp callSync", method: "callSync" }),
      actorRoundTrips({ name: "mini-otp call", method: "call" }),
      postMessageRoundTrips(),
      pollingRoundTrips(),
      erlangPingPong("two_schedulers"),
      erlangPingPong("unbound"),
      goPingPong(),
    ],
  },
  {
    topology,
    work: `small object there, number back, parked for ${PAUSE_MS} ms before`,
    measures: "latency",
    units: "round trips",
    baseline: "postMessage",
    contenders: [
      actorRoundTrips({ name: "mini-otp callSync", method: "callSyncParked", argument: PAUSE_MS }),
      actorRoundTrips({ name: "mini-otp call", method: "callParked", argument: PAUSE_MS }),
      postMessageRoundTrips(PAUSE_MS),
      pollingRoundTrips(PAUSE_MS),
    ],
  },
  {
    topology,
    work: `small object there, number back, parked for ${PAUSE_MS} ms before, after ${IN_A_ROW} in a row`,
    measures: "latency",
    units: "round trips",
    baseline: "postMessage",
    contenders: [
      actorRoundTrips({
        name: "mini-otp callSync",
        method: "callSyncParked",
        argument: PAUSE_MS,
        before: { method: "callSync", count: IN_A_ROW },
      }),
      actorRoundTrips({
        name: "mini-otp call",
        method: "callParked",
        argument: PAUSE_MS,
        before: { method: "call", count: IN_A_ROW },
      }),
      postMessageRoundTrips(PAUSE_MS, IN_A_ROW),
    ],
  },
  {
    topology,
    work: `${WAITING} messages waiting in the caller's mailbox`,
    measures: "latency",
    units: "round trips",
    baseline: "mini-otp callSync, none",
    contenders: [
      actorRoundTrips({ name: "mini-otp callSync, none", method: "callSync" }),
      actorRoundTrips({
        name: "mini-otp callSync, waiting",
        method: "callSyncBehind",
        argument: WAITING,
        mailbox: { capacity: 2 * WAITING, capacityBytes: 16 * 1024 * 1024 },
      }),
    ],
  },
];
