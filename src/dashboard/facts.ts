/** Owns a list of names and values that change. Refuses to know what they mean. */
import { el, KeyedList, setText } from './elements.js';

/** A name, and what is so. */
export type Fact = readonly [name: string, value: string];

/** A list of facts. */
export class Facts {
  readonly element: HTMLElement;
  readonly #list: KeyedList<Fact>;

  /** @param attributes such as its class, and its name for those who listen. */
  constructor(attributes: Readonly<Record<string, string>>) {
    this.element = el('dl', attributes);
    this.#list = new KeyedList<Fact>(
      this.element,
      ([name]) => name,
      ([name]) => {
        const value = el('dd', { dir: 'auto' });
        return { element: el('div', {}, el('dt', {}, name), value), update: ([, text]) => setText(value, text) };
      },
    );
  }

  show(facts: readonly Fact[]): void {
    this.#list.show(facts);
  }
}
