/** Inserts text as text. Nothing here or elsewhere on the page makes markup of a string. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Writes only a text that is different, because each write causes a new layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** Makes `children` the element's children, and moves as few of them as possible. */
export function arrange(parent: Element, children: readonly Element[]): void {
  let at = parent.firstElementChild;
  for (const child of children) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
  while (at !== null) {
    const next = at.nextElementSibling;
    at.remove();
    at = next;
  }
}

/** A list of terms with values that can be set. */
export class Facts {
  readonly element = el("dl", { class: "facts" });
  readonly #values = new Map<string, HTMLElement>();

  /** `undefined` removes the fact. */
  set(term: string, value: string | undefined): void {
    let shown = this.#values.get(term);
    if (shown === undefined) {
      if (value === undefined) return;
      shown = el("dd");
      this.#values.set(term, shown);
      this.element.append(el("div", {}, el("dt", {}, term), shown));
    }
    setText(shown, value ?? "");
    (shown.parentElement as HTMLElement).hidden = value === undefined;
  }
}
