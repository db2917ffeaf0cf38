import { ACK, BYE, DATA, type Frame, type FrameType, HELLO, NACK, NO_BODY, PING, PONG } from "./frame.js";
import { decodeHello, encodeHello, type Hello, isLater, speaksWith } from "./hello.js";

/*
 * One node's end of its link to another, as a function of events: no clock, no connection. What happened is an event,
 * what is to be done are the actions. The state is changed in place, because the frames that wait for their ack would
 * else be copied for each one that comes.
 *
 * A session is named by two epochs, one of each side's; an epoch is never used twice. Within a session DATA is numbered,
 * kept until it is acknowledged, sent again when it is lost, and taken in order once. When either side ends the session,
 * the other learns it by the new epoch. Over 350 lines, because every event may change every part of the one state.
 */

/** Why a session has ended. */
export type LinkEnd = "left" | "gone" | "silent" | "restarted" | "reset" | "incompatible";

export type LinkEvent =
  | { readonly type: "frame"; readonly frame: Frame }
  /** A body is to be sent. Only while the session is up. */
  | { readonly type: "data"; readonly body: Uint8Array; readonly whole?: Uint8Array }
  /** The other node has been heard of, or heard of again. */
  | { readonly type: "greet" }
  | { readonly type: "tick" }
  /** The connection to the engine is there, or is not. */
  | { readonly type: "engine"; readonly up: boolean }
  /** The session is over, because of what else is known of the other node. */
  | { readonly type: "end"; readonly why: LinkEnd }
  /** This node leaves: the other is told, and greeted no more. */
  | { readonly type: "bye" };

export type LinkAction =
  | { readonly type: "send"; readonly frame: Frame }
  | { readonly type: "up"; readonly peer: Hello }
  | {
      readonly type: "down";
      readonly why: LinkEnd;
      readonly peer: Hello;
      readonly unacknowledged: number;
      /** What the other side has said good-bye without: it has certainly not been delivered there. */
      readonly untaken: readonly Uint8Array[];
    }
  | { readonly type: "deliver"; readonly body: Uint8Array }
  /** What waits for acks is below the window again, or the connection is there again. */
  | { readonly type: "room" };

/** DATA that is sent and not acknowledged: more is not offered. Replies may pass it. */
export const LINK_WINDOW_BYTES = 1024 * 1024;
/** Acknowledged alone after so much; less waits for the next frame, or tick. */
const ACK_AFTER_BYTES = LINK_WINDOW_BYTES / 4;
/** Sent again when no ack has come for so long, and then for twice as long each time: a process that stands still needs it once. */
const NO_PROGRESS_MS = 1000;
const MAX_NO_PROGRESS_MS = 4000;
/** A peer that asks for it again and again is sent the same frames only so often. */
const RESEND_EVERY_MS = 100;
const GREET_AGAIN_MS = 250;
/** A session that has just begun is not ended by a greeting for another: a peer that greets without an end does not flap. */
const YOUNGEST_MS = 200;
const PING_EVERY_MS = 1000;

interface Sent {
  readonly seq: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array | undefined;
}

export interface LinkState {
  readonly self: Hello;
  peer: Hello | undefined;
  phase: "idle" | "greeting" | "up" | "left" | "incompatible";
  connected: boolean;
  /** Of this session, or the one that is greeted for. */
  epoch: number;
  peerEpoch: number;
  sent: number;
  unacked: Sent[];
  /** How many of `unacked`, from its start on, are acknowledged: cut off now and then, since a shift costs. */
  unackedFrom: number;
  unackedBytes: number;
  taken: number;
  ackSent: number;
  takenBytes: number;
  /** A NACK has been sent for what comes after this one. */
  nacked: number;
  progressAt: number;
  /** What has not been acknowledged is sent again after so long. */
  patienceMs: number;
  greetedAt: number;
  upAt: number;
  /** When frames were last sent again. */
  resentAt: number;
  /** Frames that were dropped: of another session, not expected, or damaged. */
  dropped: number;
  resent: number;
  /** The last question how long a frame takes there and back, when it was sent, and the last answer. */
  pings: number;
  pingedAt: number;
  rttMs: number | undefined;
  /** Since when the window is full, and for how long it was before. */
  fullSince: number | undefined;
  fullMs: number;
}

/** `firstEpoch` is none that another process of this name has used, and above all that this one has. */
export function newLink(self: Hello, firstEpoch: number): LinkState {
  return {
    self,
    peer: undefined,
    phase: "idle",
    connected: true,
    epoch: firstEpoch,
    peerEpoch: 0,
    sent: 0,
    unacked: [],
    unackedFrom: 0,
    unackedBytes: 0,
    taken: 0,
    ackSent: 0,
    takenBytes: 0,
    nacked: -1,
    progressAt: 0,
    patienceMs: NO_PROGRESS_MS,
    greetedAt: -Infinity,
    upAt: -Infinity,
    resentAt: -Infinity,
    dropped: 0,
    resent: 0,
    pings: 0,
    pingedAt: -Infinity,
    rttMs: undefined,
    fullSince: undefined,
    fullMs: 0,
  };
}

/** For how long the window has been full in all. */
export function fullMs(link: LinkState, now: number): number {
  return link.fullMs + (link.fullSince === undefined ? 0 : now - link.fullSince);
}

export function hasRoom(link: LinkState): boolean {
  return link.phase === "up" && link.unackedBytes < LINK_WINDOW_BYTES;
}

export function linkStep(link: LinkState, event: LinkEvent, now: number): LinkAction[] {
  const actions: LinkAction[] = [];
  switch (event.type) {
    case "frame":
      onFrame(link, event.frame, now, actions);
      break;
    case "data":
      sendData(link, event.body, event.whole, now, actions);
      break;
    case "greet":
      if (link.phase === "idle" || link.phase === "left") beginGreeting(link);
      greet(link, now, actions);
      break;
    case "tick":
      onTick(link, now, actions);
      break;
    case "engine":
      link.connected = event.up;
      link.patienceMs = NO_PROGRESS_MS;
      if (event.up) {
        greet(link, now, actions);
        resend(link, now, actions);
        if (hasRoom(link)) actions.push({ type: "room" });
      }
      break;
    case "end":
      endSession(link, event.why, now, actions);
      link.phase = event.why === "incompatible" ? "incompatible" : "idle";
      break;
    case "bye":
      if (link.phase === "up" && link.connected) actions.push(send(link, BYE));
      endSession(link, "left", now, actions);
      link.phase = "left";
      break;
  }
  return actions;
}

function onTick(link: LinkState, now: number, actions: LinkAction[]): void {
  if (!link.connected) return;
  if (link.phase === "greeting" && now - link.greetedAt >= GREET_AGAIN_MS) greet(link, now, actions);
  if (link.phase !== "up") return;
  if (waiting(link) > 0 && now - link.progressAt >= link.patienceMs) {
    resend(link, now, actions);
    link.patienceMs = Math.min(2 * link.patienceMs, MAX_NO_PROGRESS_MS);
  }
  if (now - link.pingedAt >= PING_EVERY_MS) {
    link.pings = (link.pings + 1) >>> 0;
    link.pingedAt = now;
    actions.push(send(link, PING, link.pings));
  }
  if (link.ackSent !== link.taken) actions.push(send(link, ACK));
}

function onFrame(link: LinkState, frame: Frame, now: number, actions: LinkAction[]): void {
  if (frame.type === HELLO) {
    onHello(link, frame, now, actions);
    return;
  }
  const ofSession = frame.from === link.peerEpoch && frame.to === link.epoch && link.peer !== undefined;
  if (!ofSession || (link.phase !== "up" && link.phase !== "greeting")) {
    link.dropped++;
    return;
  }
  if (link.phase === "greeting") beginSession(link, now, actions);
  acknowledged(link, frame.ack, now, actions);
  if (frame.type === DATA) takeData(link, frame, actions);
  else if (frame.type === NACK) {
    if (now - link.resentAt >= RESEND_EVERY_MS) resend(link, now, actions);
  } else if (frame.type === PING) {
    if (link.connected) actions.push(send(link, PONG, frame.seq));
  } else if (frame.type === PONG) {
    if (frame.seq === link.pings) link.rttMs = now - link.pingedAt;
  } else if (frame.type === BYE) {
    // Its ack is the last, and nothing is taken after it.
    const untaken = link.unacked.slice(link.unackedFrom).map(({ body }) => body);
    endSession(link, "left", now, actions, untaken);
    link.phase = "idle";
  }
}

function onHello(link: LinkState, frame: Frame, now: number, actions: LinkAction[]): void {
  const hello = decodeHello(frame.body);
  if (hello === undefined || frame.from === 0 || link.phase === "left") {
    link.dropped++;
    return;
  }
  const known = link.peer;
  if (known !== undefined && known.incarnation !== hello.incarnation) {
    if (!isLater(hello, known)) {
      link.dropped++;
      return;
    }
    endSession(link, "restarted", now, actions);
    link.phase = "idle";
    link.peerEpoch = 0;
  }
  link.peer = hello;
  if (!speaksWith(link.self, hello)) {
    if (link.phase !== "incompatible") actions.push(down(link, "incompatible", hello));
    link.phase = "incompatible";
    // It is to know, too; an answer to an answer would go round.
    if (frame.to === 0 && link.connected) {
      const { epoch, self } = link;
      const answer = { type: HELLO, from: epoch, to: frame.from, seq: 0, ack: 0, body: encodeHello(self) } as const;
      actions.push({ type: "send", frame: answer });
    }
    return;
  }
  if (link.phase === "incompatible") link.phase = "idle";
  // One that was under way for long: the session it was for is over.
  if (frame.from < link.peerEpoch) {
    link.dropped++;
    return;
  }
  if (frame.from > link.peerEpoch && link.phase === "up") {
    if (now - link.upAt < YOUNGEST_MS) {
      link.dropped++;
      return;
    }
    endSession(link, "reset", now, actions);
    link.phase = "idle";
  }
  link.peerEpoch = frame.from;
  if (link.phase === "idle") beginGreeting(link);
  if (frame.to === link.epoch && link.phase === "greeting") beginSession(link, now, actions);
  if (!link.connected) return;
  // It is in the session as soon as it has anything that names both epochs.
  if (frame.to === link.epoch) actions.push(send(link, ACK));
  else greet(link, now, actions, true);
}

function beginGreeting(link: LinkState): void {
  link.epoch++;
  link.phase = "greeting";
  link.greetedAt = -Infinity;
}

/** `asked`: by a greeting, which is answered in a session too. */
function greet(link: LinkState, now: number, actions: LinkAction[], asked = false): void {
  if (!link.connected || !(link.phase === "greeting" || (asked && link.phase === "up"))) return;
  link.greetedAt = now;
  const { epoch: from, peerEpoch: to } = link;
  actions.push({ type: "send", frame: { type: HELLO, from, to, seq: 0, ack: 0, body: encodeHello(link.self) } });
}

function beginSession(link: LinkState, now: number, actions: LinkAction[]): void {
  link.phase = "up";
  link.upAt = now;
  link.sent = link.taken = link.ackSent = link.takenBytes = 0;
  link.nacked = -1;
  link.progressAt = now;
  link.patienceMs = NO_PROGRESS_MS;
  actions.push({ type: "up", peer: link.peer as Hello });
}

function endSession(
  link: LinkState,
  why: LinkEnd,
  now: number,
  actions: LinkAction[],
  untaken: readonly Uint8Array[] = [],
): void {
  const wasUp = link.phase === "up";
  if (wasUp && link.peer !== undefined) actions.push({ ...down(link, why, link.peer), untaken });
  link.unacked = [];
  link.unackedFrom = 0;
  link.unackedBytes = 0;
  link.rttMs = undefined;
  hasRoomAgain(link, now);
}

function hasRoomAgain(link: LinkState, now: number): void {
  link.fullMs = fullMs(link, now);
  link.fullSince = undefined;
}

function down(link: LinkState, why: LinkEnd, peer: Hello): Extract<LinkAction, { type: "down" }> {
  return { type: "down", why, peer, unacknowledged: waiting(link), untaken: [] };
}

function sendData(
  link: LinkState,
  body: Uint8Array,
  whole: Uint8Array | undefined,
  now: number,
  actions: LinkAction[],
): void {
  if (link.phase !== "up") return;
  if (waiting(link) === 0) link.progressAt = now;
  link.sent = (link.sent + 1) >>> 0;
  link.unacked.push({ seq: link.sent, body, whole });
  link.unackedBytes += body.length;
  if (link.unackedBytes >= LINK_WINDOW_BYTES) link.fullSince ??= now;
  if (link.connected) actions.push(send(link, DATA, link.sent, body, whole));
}

function takeData(link: LinkState, { seq, body }: Frame, actions: LinkAction[]): void {
  const expected = (link.taken + 1) >>> 0;
  if (seq !== expected) {
    link.dropped++;
    // Once for each gap: what comes after it is on its way already.
    const isAhead = ((seq - expected) | 0) > 0;
    if (isAhead && link.nacked !== link.taken && link.connected) {
      link.nacked = link.taken;
      actions.push(send(link, NACK));
    }
    // What has been taken comes again when its acknowledgement was lost: the next tick tells it.
    if (!isAhead) link.ackSent = (link.taken - 1) >>> 0;
    return;
  }
  link.taken = seq;
  link.takenBytes += body.length;
  actions.push({ type: "deliver", body });
  if (link.takenBytes >= ACK_AFTER_BYTES && link.connected) actions.push(send(link, ACK));
}

function acknowledged(link: LinkState, ack: number, now: number, actions: LinkAction[]): void {
  // An ack of what has not been sent yet is damaged.
  if (((link.sent - ack) | 0) < 0) {
    link.dropped++;
    return;
  }
  const wasFull = link.unackedBytes >= LINK_WINDOW_BYTES;
  const { unacked } = link;
  let from = link.unackedFrom;
  while (from < unacked.length && ((ack - unacked[from].seq) | 0) >= 0) {
    link.unackedBytes -= unacked[from].body.length;
    // Its bytes are not kept until the list is cut.
    unacked[from] = { seq: unacked[from].seq, body: NO_BODY, whole: undefined };
    from++;
  }
  if (from === link.unackedFrom) return;
  link.progressAt = now;
  link.patienceMs = NO_PROGRESS_MS;
  link.unackedFrom = from;
  if (from === unacked.length) {
    link.unacked = [];
    link.unackedFrom = 0;
  } else if (from > 1024) {
    link.unacked = unacked.slice(from);
    link.unackedFrom = 0;
  }
  if (wasFull && link.unackedBytes < LINK_WINDOW_BYTES) {
    hasRoomAgain(link, now);
    actions.push({ type: "room" });
  }
}

function resend(link: LinkState, now: number, actions: LinkAction[]): void {
  if (link.phase !== "up" || !link.connected) return;
  link.progressAt = link.resentAt = now;
  for (let i = link.unackedFrom; i < link.unacked.length; i++) {
    const { seq, body, whole } = link.unacked[i];
    link.resent++;
    actions.push(send(link, DATA, seq, body, whole));
  }
}

function waiting(link: LinkState): number {
  return link.unacked.length - link.unackedFrom;
}

function send(
  link: LinkState,
  type: FrameType,
  seq = 0,
  body: Uint8Array = NO_BODY,
  whole: Uint8Array | undefined = undefined,
): LinkAction {
  const { epoch: from, peerEpoch: to, taken: ack } = link;
  link.ackSent = ack;
  link.takenBytes = 0;
  return { type: "send", frame: { type, from, to, seq, ack, body, whole } };
}
