/** Owns what the page tells by itself: once, politely, to those who see and those who listen. Refuses to know why. */
import { el, setText } from './elements.js';

/** How long a message stays, in milliseconds. */
const SHOWN = 20_000;

/** The line of messages, and the banner of what goes on being wrong. */
export class Notices {
  readonly #status = el('p', { id: 'status', role: 'status', class: 'status' });
  readonly #banner = el('p', { id: 'banner', class: 'banner', hidden: true });
  #fading: ReturnType<typeof setTimeout> | undefined;
  readonly element = el('div', { class: 'notices' }, this.#banner, this.#status);

  /** Says something once. */
  tell(text: string): void {
    clearTimeout(this.#fading);
    setText(this.#status, text);
    this.#fading = setTimeout(() => setText(this.#status, ''), SHOWN);
  }

  /** Says that something is wrong, until {@link clear}. Its words may change: only `told` is read out, when that changes. */
  warn(text: string, told: string): void {
    setText(this.#banner, text);
    this.#banner.hidden = false;
    this.#banner.setAttribute('aria-hidden', 'true');
    this.tell(told);
  }

  /** Whether something is wrong. */
  get isWarning(): boolean {
    return !this.#banner.hidden;
  }

  clear(): void {
    this.#banner.hidden = true;
  }
}
