/** Owns making elements and changing them. Refuses markup as text: whatever anybody chose becomes text, never elements. */

type Attributes = Readonly<Record<string, string | boolean | undefined>>;
type Child = Node | string;

/** Makes an element. An attribute that is `true` is there without a value, one that is `false` or undefined is not. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) setAttribute(element, key, value);
  element.append(...children);
  return element;
}

/** Sets or removes an attribute, if that changes anything. */
export function setAttribute(element: Element, key: string, value: string | boolean | undefined): void {
  if (value === false || value === undefined) element.removeAttribute(key);
  else if (element.getAttribute(key) !== (value === true ? '' : value)) {
    element.setAttribute(key, value === true ? '' : value);
  }
}

/** Sets the text of an element, if that changes it: what has not changed is not told again, and stays selected. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Makes a button that does something. */
export function button(text: string, act: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', act);
  return made;
}

/** What a {@link KeyedList} shows of one item. */
export interface Entry<Item> {
  readonly element: HTMLElement;
  update(item: Item): void;
}

/** Shows items in the children of an element. An item that stays keeps its element, and so the focus that is in it. */
export class KeyedList<Item> {
  readonly #parent: HTMLElement;
  readonly #keyOf: (item: Item) => string;
  readonly #create: (item: Item) => Entry<Item>;
  #entries = new Map<string, Entry<Item>>();

  constructor(parent: HTMLElement, keyOf: (item: Item) => string, create: (item: Item) => Entry<Item>) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#create = create;
  }

  show(items: readonly Item[]): void {
    const entries = new Map<string, Entry<Item>>();
    for (const item of items) {
      const key = this.#keyOf(item);
      const entry = this.#entries.get(key) ?? this.#create(item);
      entry.update(item);
      entries.set(key, entry);
    }
    for (const [key, { element }] of this.#entries) if (!entries.has(key)) element.remove();
    let place = this.#parent.firstElementChild;
    for (const { element } of entries.values()) {
      if (element === place) place = place.nextElementSibling;
      else this.#parent.insertBefore(element, place);
    }
    this.#entries = entries;
  }
}
