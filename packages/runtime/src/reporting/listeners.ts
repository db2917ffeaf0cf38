/**
 * Calls what a user has given. What it throws, or what the promise that it returns rejects with, is told to `failed`,
 * which must not throw. Never throws.
 */
export function callSafely(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const result = call();
    if (typeof result !== "object" || result === null) return;
    const { then } = result as { then?: unknown };
    if (typeof then === "function") then.call(result, undefined, failed);
  } catch (error) {
    failed(error);
  }
}
