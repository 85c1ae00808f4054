/** Owns the view of the backends of a balancer: the pool, each backend, and taking one out or putting it back. Refuses to do it unasked. */
import { perform } from '../actions.js';
import { ApiFailure } from '../api/api.js';
import type { BackendInfo, PoolInfo, Stats } from '../api/contract.js';
import { stateIds, valueText } from '../chart-value.js';
import { button, type Entry, el, setAttribute, setText } from '../elements.js';
import { Facts } from '../facts.js';
import { Table } from '../table.js';
import type { View, ViewContext } from '../view.js';
import { count, counted, duration, printable } from '../words.js';

/** The view of the backends. */
export class BackendsView implements View {
  readonly title = 'Backends';
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #state: string;
  readonly #pool = new Facts({ class: 'tiles', 'aria-label': 'The pool' });
  readonly #note = el('p', { class: 'matched', role: 'status' });
  readonly #table: Table<BackendInfo>;

  constructor(context: ViewContext, { state = '' }: Readonly<Record<string, string>>) {
    this.#context = context;
    this.#state = state;
    this.#table = new Table<BackendInfo>({
      caption: 'Backends',
      columns: COLUMNS,
      keyOf: ({ id }) => id,
      extra: { title: 'Actions', create: (backend) => this.#buttonsOf(backend) },
    });
    const all = el('a', { href: context.hrefOf({ view: 'backends' }) }, 'Show all backends');
    this.element = el(
      'div',
      {},
      el('h1', {}, this.title),
      this.#pool.element,
      ...(state === '' ? [] : [el('p', {}, `In the state ${printable(state)} only. `, all)]),
      this.#note,
      this.#table.element,
    );
  }

  async refresh(_: Promise<Stats>, signal: AbortSignal): Promise<void> {
    const { api } = this.#context;
    try {
      const [pool, { backends }] = await Promise.all([
        api.get<PoolInfo>('/api/v1/pool', {}, signal),
        api.get<{ backends: readonly BackendInfo[] }>('/api/v1/backends', {}, signal),
      ]);
      if (signal.aborted) return;
      this.#pool.show([
        ['The pool is', printable(pool.state)],
        ['Backends', count(pool.backends)],
        ['Available', count(pool.available)],
        ['Draining', count(pool.draining)],
        ['Not well', count(pool.unhealthy)],
        ['Connections on them', count(pool.load)],
        ['Clients that wait', count(pool.waiting)],
      ]);
      setText(this.#note, '');
      this.#table.show(
        backends.filter(({ chart }) => this.#state === '' || stateIds('backend', chart).includes(this.#state)),
      );
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status !== 404) throw error;
      setText(this.#note, 'This server is no balancer: it has no backends.');
      this.#table.show([]);
    }
  }

  #buttonsOf({ id }: BackendInfo): Entry<BackendInfo> {
    const path = `/api/v1/backends/${encodeURIComponent(id)}`;
    const name = printable(id, 80);
    let load = 0;
    const drain = button('Drain', () => {
      void perform(this.#context, {
        title: `Drain ${name}?`,
        consequence: `It gets no new clients, and those on it meet what the option drain.whenDraining says. ${counted(load, 'connection is', 'connections are')} on it now. It stays out until it is resumed.`,
        confirm: 'Drain the backend',
        harms: true,
        path: `${path}/drain`,
        done: `${name} is draining.`,
      });
    });
    const resume = button('Resume', () => {
      void perform(this.#context, {
        title: `Resume ${name}?`,
        consequence: 'It gets new clients again.',
        confirm: 'Resume the backend',
        path: `${path}/resume`,
        done: `${name} gets clients again.`,
      });
    });
    // Many rows have the same buttons: read out, each says which backend it is for.
    drain.setAttribute('aria-label', `Drain ${name}`);
    resume.setAttribute('aria-label', `Resume ${name}`);
    drain.className = 'harm';
    return {
      element: el('div', { class: 'actions' }, drain, resume),
      update(backend) {
        load = backend.load;
        const isDraining = backend.state === 'draining';
        setAttribute(drain, 'disabled', isDraining || backend.state === 'gone');
        setAttribute(resume, 'disabled', !isDraining || backend.draining !== 'operator');
      },
    };
  }
}

const COLUMNS = [
  { title: 'Id', text: ({ id }: BackendInfo) => printable(id, 80) },
  { title: 'State', text: ({ chart, state }: BackendInfo) => valueText(chart) || printable(state) },
  {
    title: 'Load',
    number: true,
    text: ({ load, capacity }: BackendInfo) => `${count(load)}${capacity > 0 ? ` of ${count(capacity)}` : ''}`,
  },
  { title: 'Address', text: ({ url }: BackendInfo) => printable(url, 120) },
  { title: 'Weight', wide: true, number: true, text: ({ weight }: BackendInfo) => count(weight) },
  { title: 'Known by', wide: true, text: ({ source }: BackendInfo) => printable(source) },
  { title: 'Tags', wide: true, text: ({ tags }: BackendInfo) => printable(tags.join(', '), 80) },
  { title: 'Drained by', wide: true, text: ({ draining }: BackendInfo) => printable(draining ?? '') },
  { title: 'Last check', wide: true, text: ({ lastCheck }: BackendInfo) => checkText(lastCheck) },
  { title: 'Failures', wide: true, number: true, text: ({ failures }: BackendInfo) => count(failures) },
  { title: 'Ejections', wide: true, number: true, text: ({ ejections }: BackendInfo) => count(ejections) },
];

function checkText(check: BackendInfo['lastCheck']): string {
  if (check === undefined || check === null) return 'none';
  return check.passed ? `passed in ${duration(check.latency)}` : `failed: ${printable(check.reason ?? '', 120)}`;
}
