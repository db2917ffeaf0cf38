import { ActorError } from "@mini-otp/worker-host/protocol/errors";

/**
 * The names of a system. A name belongs to a slot, so it survives restarts. The slot's owner frees it when the actor
 * has ended and stays down, before its watchers hear of the end.
 */
export class Registry<Slot extends { readonly id: string }> {
  readonly #slots = new Map<string, Slot>();

  /** Gives `slot` the name. A second claim changes nothing. Throws ERR_NAME_TAKEN when another slot has the name. */
  claim(name: string, slot: Slot): void {
    const holder = this.#slots.get(name);
    if (holder !== undefined && holder !== slot) {
      const facts = { id: slot.id, name, holder: holder.id };
      throw new ActorError("ERR_NAME_TAKEN", `${slot.id}: name=${name} is taken by ${holder.id}`, facts);
    }
    this.#slots.set(name, slot);
  }

  /** Frees the name if this slot has it. */
  release(name: string, slot: Slot): void {
    if (this.#slots.get(name) === slot) this.#slots.delete(name);
  }

  whereis(name: string): Slot | undefined {
    return this.#slots.get(name);
  }

  names(): string[] {
    return [...this.#slots.keys()];
  }
}
