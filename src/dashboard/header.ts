/** Owns the head of the page: which server is looked at, how it is, and the ways to the other views. Refuses to ask for anything. */
import type { ServerInfo, Stats } from './api/contract.js';
import { button, el, KeyedList, setAttribute, setText } from './elements.js';
import { hashOf, type Place, type ViewName } from './place.js';
import { duration, printable } from './words.js';

/** What can be done in the head of the page. */
export interface HeaderEvents {
  chosen(server: string): void;
  stopped(stopped: boolean): void;
  forgotten(): void;
}

const WAYS: readonly (readonly [ViewName, string])[] = [
  ['overview', 'Overview'],
  ['charts', 'Statecharts'],
  ['connections', 'Connections'],
  ['backends', 'Backends'],
];

/** The head of the page. */
export class Header {
  readonly element: HTMLElement;
  readonly #choice = el('select', { id: 'server' });
  readonly #choices: KeyedList<ServerInfo>;
  readonly #state = el('dd', { class: 'badge', id: 'server-state' }, '…');
  readonly #uptime = el('dd', {}, '…');
  readonly #addresses = el('dd', { class: 'addresses' }, '…');
  readonly #links = new Map<ViewName, HTMLAnchorElement>();
  readonly #forget: HTMLButtonElement;

  constructor(events: HeaderEvents) {
    this.#choices = new KeyedList(
      this.#choice,
      ({ name }) => name,
      ({ name }) => ({ element: el('option', { value: name }, printable(name, 60)), update: () => {} }),
    );
    this.#choice.addEventListener('change', () => events.chosen(this.#choice.value));
    const pause = button('Pause', () => {
      const stopped = pause.getAttribute('aria-pressed') !== 'true';
      pause.setAttribute('aria-pressed', String(stopped));
      events.stopped(stopped);
    });
    pause.setAttribute('aria-pressed', 'false');
    pause.setAttribute('aria-label', 'Pause updates');
    this.#forget = button('Forget token', () => events.forgotten(), { hidden: true });
    for (const [view, text] of WAYS) this.#links.set(view, el('a', {}, text));
    this.element = el(
      'header',
      {},
      el('p', { class: 'brand' }, 'Tidegate'),
      el('div', { class: 'choice' }, el('label', { for: 'server' }, 'Server'), this.#choice),
      el(
        'dl',
        { class: 'summary', 'aria-label': 'Server' },
        el('div', {}, el('dt', {}, 'State'), this.#state),
        el('div', {}, el('dt', {}, 'Up for'), this.#uptime),
        el('div', {}, el('dt', {}, 'Listens on'), this.#addresses),
      ),
      el('div', { class: 'tools' }, pause, this.#forget),
      el(
        'nav',
        { 'aria-label': 'Views' },
        el('ul', {}, ...[...this.#links.values()].map((link) => el('li', {}, link))),
      ),
    );
  }

  /** Shows which place it is. */
  showPlace({ view, server }: Place): void {
    for (const [name, link] of this.#links) {
      setAttribute(link, 'href', hashOf({ view: name, server }));
      const isHere = name === view || (name === 'connections' && view === 'connection');
      setAttribute(link, 'aria-current', isHere ? 'page' : undefined);
    }
  }

  /** Shows the servers, and the one that is looked at. */
  showServers(servers: readonly ServerInfo[], current: string): void {
    this.#choices.show(servers);
    const chosen = servers.find(({ name }) => name === current) ?? servers[0];
    if (chosen === undefined) return;
    if (this.#choice.value !== chosen.name && document.activeElement !== this.#choice) this.#choice.value = chosen.name;
    setAttribute(this.#choice, 'disabled', servers.length < 2);
    setText(this.#addresses, chosen.addresses.map((address) => printable(address)).join(', ') || 'nothing');
    this.#links.get('backends')!.parentElement!.hidden = chosen.kind !== 'balancer';
  }

  showStats({ state, process }: Stats): void {
    setText(this.#state, state);
    setAttribute(this.#state, 'data-state-of-server', state);
    setText(this.#uptime, process === undefined ? 'not known' : duration(process.uptimeMs));
  }

  showToken(isKept: boolean): void {
    this.#forget.hidden = !isKept;
  }
}
