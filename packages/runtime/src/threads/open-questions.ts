import { ANSWER_MS } from "./end-limits.js";

/** The questions that the inspector has asked one thread, and that the thread has not answered. */
export class OpenQuestions {
  #open = 0;
  #waiting: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `answer` is of a question that was just asked; undefined, or no promise: nothing was asked. */
  asked(answer: unknown): void {
    if (!(answer instanceof Promise)) return;
    this.#open++;
    const answered = (): void => this.#answered();
    answer.then(answered, answered);
  }

  /** Calls `then` once: at once without an open question, else at the last answer, or after ANSWER_MS. */
  whenAnswered(then: () => void): void {
    if (this.#open === 0) return then();
    this.#waiting = then;
    this.#timer = setTimeout(() => this.#proceed(), ANSWER_MS).unref();
  }

  #answered(): void {
    if (--this.#open === 0) this.#proceed();
  }

  #proceed(): void {
    clearTimeout(this.#timer);
    const then = this.#waiting;
    this.#waiting = undefined;
    then?.();
  }
}
