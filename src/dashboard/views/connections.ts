/** Owns the list of connections: what it is narrowed to, in which order, and page by page. Refuses to narrow anything itself: the server does. */
import type { ConnectionPage, ConnectionRow, Stats } from '../api/contract.js';
import { valueText } from '../chart-value.js';
import { button, el, setText } from '../elements.js';
import { StateChart } from '../state-chart.js';
import { Table } from '../table.js';
import type { View, ViewContext } from '../view.js';
import { bytes, count, counted, duration, printable } from '../words.js';

type Query = Record<string, string>;

const TEXTS: readonly (readonly [name: string, label: string])[] = [
  ['search', 'Search'],
  ['user', 'User'],
  ['tag', 'Tag'],
  ['path', 'Path'],
  ['address', 'Address'],
];

const ORDERS: readonly (readonly [value: string, label: string])[] = [
  ['openedAt', 'when opened'],
  ['bytes', 'bytes'],
  ['messages', 'messages'],
  ['bufferedBytes', 'bytes that wait'],
  ['roundTripMs', 'round-trip time'],
  ['id', 'id'],
];

const DIRECTIONS: readonly (readonly [value: string, label: string])[] = [
  ['desc', 'highest first'],
  ['asc', 'lowest first'],
];

/** Milliseconds after the last key until the server is asked. */
const TYPING = 250;

const PAGE_SIZE = '50';

/** The list of connections. */
export class ConnectionsView implements View {
  readonly title = 'Connections';
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #form = el('form', { class: 'filters', role: 'search', 'aria-label': 'Connections' });
  readonly #matched = el('p', { class: 'matched', role: 'status' });
  readonly #table: Table<ConnectionRow>;
  readonly #previous = button('Previous page', () => this.#turn(-1), { disabled: true });
  readonly #next = button('Next page', () => this.#turn(1), { disabled: true });
  /** Where each page begins, up to the one that is shown. */
  #cursors: (string | undefined)[] = [undefined];
  #after: string | undefined;
  #query: Query;
  #typing: ReturnType<typeof setTimeout> | undefined;

  constructor(context: ViewContext, query: Readonly<Query>) {
    this.#context = context;
    this.#query = { sort: 'openedAt', order: 'desc', ...query };
    this.#table = new Table<ConnectionRow>({
      caption: 'Connections',
      columns: columns((id) => context.hrefOf({ view: 'connection', id })),
      keyOf: ({ id }) => id,
    });
    this.#fillForm();
    this.element = el(
      'div',
      {},
      el('h1', {}, this.title),
      this.#form,
      this.#matched,
      this.#table.element,
      el('div', { class: 'pages' }, this.#previous, this.#next),
    );
  }

  async refresh(_: Promise<Stats>, signal: AbortSignal): Promise<void> {
    const query = { ...this.#query, limit: PAGE_SIZE, cursor: this.#cursors.at(-1) };
    const page = await this.#context.api.get<ConnectionPage>('/api/v1/connections', query, signal);
    if (signal.aborted) return;
    const { connections, matched = connections.length, next } = page;
    this.#after = next ?? undefined;
    this.#next.disabled = this.#after === undefined;
    this.#previous.disabled = this.#cursors.length === 1;
    const place = matched > connections.length ? `, ${connections.length} on page ${this.#cursors.length}` : '';
    setText(this.#matched, `${counted(matched, 'connection')}${place}`);
    this.#table.show(connections);
  }

  close(): void {
    clearTimeout(this.#typing);
  }

  #turn(by: 1 | -1): void {
    if (by === -1) this.#cursors.pop();
    else if (this.#after !== undefined) this.#cursors.push(this.#after);
    this.#context.lookNow();
  }

  #fillForm(): void {
    const states = ['connection', 'upstream'].flatMap(
      (name) => new StateChart(name as 'connection' | 'upstream').states,
    );
    const texts = TEXTS.map(([name, label]) =>
      field(label, el('input', { type: 'search', name, value: this.#query[name] ?? '', autocomplete: 'off' })),
    );
    const [search, ...more] = texts;
    const isNarrowed = TEXTS.slice(1).some(([name]) => (this.#query[name] ?? '') !== '');
    this.#form.append(
      el(
        'div',
        { class: 'fields' },
        search!,
        field('State', this.#select('state', [['', 'any'], ...states.map((state) => [state, state] as const)])),
        field('Sort by', this.#select('sort', ORDERS)),
        field('Order', this.#select('order', DIRECTIONS)),
      ),
      el('details', { open: isNarrowed }, el('summary', {}, 'More filters'), el('div', { class: 'fields' }, ...more)),
    );
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#narrow();
    });
    this.#form.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#narrow(), TYPING);
    });
  }

  #select(name: string, options: readonly (readonly [string, string])[]): HTMLSelectElement {
    const chosen = this.#query[name] ?? '';
    return el(
      'select',
      { name },
      ...options.map(([value, text]) => el('option', { value, selected: value === chosen }, text)),
    );
  }

  #narrow(): void {
    const filled = [...new FormData(this.#form)].map(([name, value]) => [name, String(value).trim()]);
    this.#query = Object.fromEntries(filled) as Query;
    this.#cursors = [undefined];
    this.#context.rename(this.#query);
    this.#context.lookNow();
  }
}

function field(label: string, control: HTMLElement): HTMLElement {
  return el('label', { class: 'field' }, el('span', {}, label), control);
}

function columns(hrefOf: (id: string) => string) {
  return [
    { title: 'Id', text: ({ id }: ConnectionRow) => printable(id, 80), href: ({ id }: ConnectionRow) => hrefOf(id) },
    { title: 'State', text: ({ chart, state }: ConnectionRow) => valueText(chart) || printable(state) },
    {
      title: 'Client',
      text: ({ remoteAddress, remotePort }: ConnectionRow) => printable(`${remoteAddress} ${remotePort}`, 80),
    },
    { title: 'User', text: ({ user }: ConnectionRow) => printable(user ?? '', 80) },
    { title: 'Path', text: ({ path }: ConnectionRow) => printable(path, 120) },
    { title: 'Target', wide: true, text: ({ target }: ConnectionRow) => printable(target ?? '', 80) },
    { title: 'Tags', wide: true, text: ({ tags }: ConnectionRow) => printable((tags ?? []).join(', '), 80) },
    {
      title: 'Open for',
      number: true,
      text: ({ openedAt }: ConnectionRow) =>
        openedAt === undefined ? '' : duration(Math.max(0, Date.now() - Date.parse(openedAt))),
    },
    { title: 'From client', wide: true, number: true, text: ({ received }: ConnectionRow) => bytes(received.bytes) },
    { title: 'To client', wide: true, number: true, text: ({ sent }: ConnectionRow) => bytes(sent.bytes) },
    {
      title: 'Messages',
      wide: true,
      number: true,
      text: ({ received, sent }: ConnectionRow) => `${count(received.messages)} / ${count(sent.messages)}`,
    },
    { title: 'Waits', number: true, text: ({ bufferedBytes }: ConnectionRow) => bytes(bufferedBytes) },
    {
      title: 'Round trip',
      number: true,
      text: ({ roundTripMs }: ConnectionRow) =>
        roundTripMs === undefined || roundTripMs === null ? '' : duration(roundTripMs),
    },
  ];
}
