/** For tests in which no lease ends and no node is silent: neither happens by itself, however slow the machine is. */
export const STEADY = { downAfterMs: 60_000, lease: { renewMs: 1000, holdMs: 60_000, takeOverMs: 90_000 } };
