/**
 * Calls a user's callback. If it throws, or the promise that it returns rejects, `failed` gets the error; `failed` must
 * not throw. Never throws.
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
