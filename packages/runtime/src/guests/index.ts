/*
 * For @mini-otp/cluster of the same version: what stands in a system for an actor of another node, and what such a node
 * asks of the system's own actors. Not for applications.
 */
export { callSafely } from "../reporting/listeners.js";
export { NODE_EVENT_NAMES, type NodeEvent, type NodeEvents } from "../reporting/node-events.js";
export { type Clock, systemClock } from "../supervision/clock.js";
export { moduleCandidates } from "../threads/actor-module.js";
export type { GuestCaller, GuestMessage } from "./guest-slot.js";
export { type ForwardedCall, type Guest, type GuestOptions, Guests, systemOf } from "./guests.js";
