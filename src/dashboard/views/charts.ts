/** Owns the view of all statecharts with how many are in each state. Refuses to list who they are: a state leads there. */
import type { BackendInfo, PoolInfo, Stats } from '../api/contract.js';
import { stateIds } from '../chart-value.js';
import { el, setText } from '../elements.js';
import { type ChartName, StateChart } from '../state-chart.js';
import { Table } from '../table.js';
import type { View, ViewContext } from '../view.js';
import { count, printable } from '../words.js';

interface Section {
  readonly chart: StateChart;
  readonly element: HTMLElement;
  readonly table: Table<readonly [state: string, count: number]> | undefined;
  readonly now: HTMLElement;
}

const TITLES: Readonly<Record<ChartName, string>> = {
  connection: 'Connections',
  upstream: 'Connections to targets',
  supervisor: 'The server',
  pool: 'The pool of backends',
  backend: 'Backends',
};

/** The view of all charts. */
export class ChartsView implements View {
  readonly title = 'Statecharts';
  readonly element = el('div', {}, el('h1', {}, this.title));
  readonly #context: ViewContext;
  readonly #sections = new Map<ChartName, Section>();

  constructor(context: ViewContext) {
    this.#context = context;
    this.element.append(el('p', {}, 'The number in a state is how many are in it now; it leads to the list of them.'));
  }

  async refresh(asked: Promise<Stats>, signal: AbortSignal): Promise<void> {
    const stats = await asked;
    this.#showCounts('connection', stats.states, 'connection');
    this.#showCounts('upstream', stats.states, 'connection');
    this.#showActive('supervisor', stateIds('supervisor', stats.chart));
    if (stats.kind !== 'balancer') return;
    const [pool, { backends }] = await Promise.all([
      this.#context.api.get<PoolInfo>('/api/v1/pool', {}, signal),
      this.#context.api.get<{ backends: readonly BackendInfo[] }>('/api/v1/backends', {}, signal),
    ]);
    this.#showActive('pool', stateIds('pool', pool.state));
    const counts: Record<string, number> = {};
    for (const { chart } of backends) for (const id of stateIds('backend', chart)) counts[id] = (counts[id] ?? 0) + 1;
    this.#showCounts('backend', counts, 'backend');
  }

  #showCounts(name: ChartName, counts: Readonly<Record<string, number>>, noun: 'connection' | 'backend'): void {
    const { chart, table } = this.#section(name, noun);
    chart.showCounts(counts, noun, (state) => this.#hrefOf(noun, state));
    table?.show(chart.states.map((state) => [state, counts[state] ?? 0]));
  }

  #showActive(name: ChartName, states: readonly string[]): void {
    const { chart, now } = this.#section(name, undefined);
    chart.showActive(states);
    setText(now, states.length === 0 ? 'It does not run.' : `Now: ${printable(states.at(-1)!)}`);
  }

  #hrefOf(noun: 'connection' | 'backend', state: string): string {
    return this.#context.hrefOf({ view: noun === 'backend' ? 'backends' : 'connections', query: { state } });
  }

  #section(name: ChartName, noun: 'connection' | 'backend' | undefined): Section {
    const known = this.#sections.get(name);
    if (known !== undefined) return known;
    const chart = new StateChart(name);
    const now = el('p', { class: 'now', hidden: noun !== undefined });
    const table = noun === undefined ? undefined : this.#createTable(TITLES[name], noun);
    const element = el(
      'section',
      { 'aria-labelledby': `title-${name}` },
      el('h2', { id: `title-${name}` }, TITLES[name]),
      now,
    );
    element.append(
      el(
        'div',
        { class: 'scroller drawing', role: 'region', 'aria-label': `Statechart ${name}`, tabindex: '0' },
        chart.element as unknown as HTMLElement,
      ),
    );
    if (table !== undefined) element.append(el('details', {}, el('summary', {}, 'The same as a table'), table.element));
    this.element.append(element);
    const section = { chart, element, table, now };
    this.#sections.set(name, section);
    return section;
  }

  #createTable(title: string, noun: 'connection' | 'backend'): Table<readonly [string, number]> {
    return new Table({
      caption: `${title} by state`,
      columns: [
        { title: 'State', text: ([state]) => state, href: ([state]) => this.#hrefOf(noun, state) },
        {
          title: noun === 'connection' ? 'Connections' : 'Backends',
          number: true,
          text: ([, number]) => count(number),
        },
      ],
      keyOf: ([state]) => state,
    });
  }
}
