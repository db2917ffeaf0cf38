import { ActorError } from "@mini-otp/worker-host/protocol/errors";

/**
 * Names, system-wide. A name points at a slot, so it survives the restarts of what runs there. It is freed when the
 * slot's actor has ended for now or for good, before anyone is told so.
 */
export class Registry<Slot extends { readonly id: string }> {
  readonly #slots = new Map<string, Slot>();

  /** Gives `slot` the name; once more changes nothing. Throws ERR_NAME_TAKEN when another slot has it. */
  claim(name: string, slot: Slot): void {
    const holder = this.#slots.get(name);
    if (holder !== undefined && holder !== slot) {
      const facts = { id: slot.id, name, holder: holder.id };
      throw new ActorError("ERR_NAME_TAKEN", `${slot.id}: name=${name} is taken by ${holder.id}`, facts);
    }
    this.#slots.set(name, slot);
  }

  /** Frees the name, if it is this slot's. */
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
