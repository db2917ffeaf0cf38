import { types } from "node:util";

/** Of another realm (`node:vm`), whose objects have prototypes of their own. */
function isForeignObjectPrototype(prototype: object): boolean {
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, "isPrototypeOf") &&
    Object.hasOwn(prototype, "propertyIsEnumerable")
  );
}

/** The end of the chain of prototypes of all plain objects, of this realm or of another. */
export function isObjectPrototype(prototype: object): boolean {
  return prototype === Object.prototype || isForeignObjectPrototype(prototype);
}

/** `instanceof Error`, also for a Proxy whose traps throw and for an error of another realm. */
export function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || types.isNativeError(value);
  } catch {
    return false;
  }
}
