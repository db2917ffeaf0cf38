import { byId, el, setText } from "./dom.js";
import type { ActionName, Refusal } from "./wire.js";

const KEY = "mini-otp.token";

const QUESTIONS: Readonly<Partial<Record<ActionName, string>>> = {
  kill: "Its thread ends at once: the message it is handling is lost, and terminate does not run. Its supervisor decides what follows.",
  restart: "It handles what waits in its mailbox, ends in order, and is started again with fresh state.",
};

/** Asks the server to do something, after it has asked the operator for the token and for a confirmation. */
export class Actions {
  #token: string | undefined = sessionStorage.getItem(KEY) ?? undefined;
  readonly #button = byId<HTMLButtonElement>("token-button");
  readonly #dialog = byId<HTMLDialogElement>("token-dialog");
  readonly #notice = byId("notice");

  constructor(token: string | undefined) {
    if (token !== undefined) void this.#unlock(token);
    this.#button.addEventListener("click", () => {
      if (this.#token === undefined) void this.#askToken();
      else this.#lock();
    });
    this.#show();
  }

  async perform(action: ActionName, id: string): Promise<void> {
    if (this.#token === undefined && !(await this.#askToken())) return;
    const question = QUESTIONS[action];
    if (question !== undefined && !(await confirm(`${capital(action)} ${id}?`, question, capital(action)))) return;
    try {
      const response = await fetch("api/actions", {
        method: "POST",
        headers: { "content-type": "application/json", ...this.#authorization() },
        body: JSON.stringify({ action, id }),
      });
      if (response.ok) {
        this.#tell(`${capital(action)}: ${id}: done`, "good");
        return;
      }
      const { code, message } = (await response.json()) as Refusal;
      if (code === "ERR_TOKEN") this.#lock();
      this.#tell(message, "bad");
    } catch (error) {
      this.#tell(`The server cannot be reached: ${String(error)}`, "bad");
    }
  }

  #authorization(): Record<string, string> {
    return { authorization: `Bearer ${this.#token ?? ""}` };
  }

  #askToken(): Promise<boolean> {
    const form = byId<HTMLFormElement>("token-form");
    const input = byId<HTMLInputElement>("token-input");
    const error = byId("token-error");
    input.value = "";
    setText(error, "");
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (await this.#unlock(input.value.trim())) this.#dialog.close("ok");
      else {
        setText(error, "That is not the token this observer was started with.");
        input.select();
      }
    };
    byId("token-cancel").onclick = () => this.#dialog.close();
    return new Promise((resolve) => {
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "ok"), { once: true });
    });
  }

  async #unlock(token: string): Promise<boolean> {
    // A header takes no other characters.
    if (!/^[\x21-\x7e]+$/.test(token)) return false;
    const response = await fetch("api/token", { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined);
    if (response?.ok !== true) return false;
    this.#token = token;
    sessionStorage.setItem(KEY, token);
    this.#show();
    return true;
  }

  #lock(): void {
    this.#token = undefined;
    sessionStorage.removeItem(KEY);
    this.#show();
  }

  #show(): void {
    const locked = this.#token === undefined;
    setText(this.#button, locked ? "Unlock actions" : "Lock actions");
    this.#button.title = locked ? "Actions need the observer's token" : "Forget the token";
    this.#button.classList.toggle("primary", !locked);
  }

  #tell(text: string, tone: "good" | "bad"): void {
    const line = el("p", { class: `toast ${tone}` }, text);
    this.#notice.replaceChildren(line);
    setTimeout(() => line.remove(), 8000);
  }
}

function confirm(title: string, text: string, yes: string): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("confirm-dialog");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  const button = byId<HTMLButtonElement>("confirm-yes");
  setText(button, yes);
  button.onclick = () => dialog.close("yes");
  byId("confirm-no").onclick = () => dialog.close();
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
