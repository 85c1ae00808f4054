/** Owns the first view: totals, the last minutes in plots, and how connections ended. Refuses to ask for more than the numbers. */
import type { CloseCount, ProcessInfo, Stats } from '../api/contract.js';
import { el, setText } from '../elements.js';
import { type Fact, Facts } from '../facts.js';
import { Plot, type PlotPlan } from '../plot.js';
import { type Point, STALLED, sumOf } from '../samples.js';
import { Table } from '../table.js';
import type { View, ViewContext } from '../view.js';
import { bytes, count, duration, printable } from '../words.js';

const perSecond = (value: number) => `${count(value)}/s`;
const bytesPerSecond = (value: number) => `${bytes(value)}/s`;

const PLOTS: readonly PlotPlan[] = [
  { title: 'Connections', lines: [{ series: 'connections', label: 'There are' }], say: count },
  {
    title: 'Messages',
    lines: [
      { series: 'messagesIn', label: 'From clients' },
      { series: 'messagesOut', label: 'To clients' },
    ],
    say: perSecond,
  },
  {
    title: 'Bytes',
    lines: [
      { series: 'bytesIn', label: 'From clients' },
      { series: 'bytesOut', label: 'To clients' },
    ],
    steps: Array.from({ length: 41 }, (_, power) => 2 ** power),
    say: bytesPerSecond,
  },
  {
    title: 'Throttled and paused',
    lines: [
      { series: 'slowClients', label: 'Clients slow to read' },
      { series: 'slowTargets', label: 'Targets slow to read' },
      { series: 'paused', label: 'Clients not read' },
    ],
    say: count,
  },
  {
    title: 'Connections that ended',
    lines: [
      { series: 'closesClean', label: 'With a clean close' },
      { series: 'closesOther', label: 'For other causes' },
      { series: 'stalled', label: 'Stalled' },
    ],
    say: perSecond,
  },
  {
    title: 'Event-loop delay',
    lines: [
      { series: 'delayMean', label: 'Mean' },
      { series: 'delayP99', label: '99th percentile' },
    ],
    say: duration,
  },
];

/** The first view. */
export class OverviewView implements View {
  readonly title = 'Overview';
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #facts = new Facts({ class: 'tiles', 'aria-label': 'Now' });
  readonly #process = el('p', { class: 'quiet' });
  readonly #plots = PLOTS.map((plan) => new Plot(plan));
  readonly #closes = new Table<CloseCount>({
    caption: 'How connections ended, since the server was made',
    columns: [
      { title: 'Cause', text: ({ cause }) => printable(cause) },
      { title: 'By', text: ({ initiator }) => printable(initiator) },
      { title: 'Code', number: true, text: ({ status }) => String(status) },
      { title: 'Connections', number: true, text: ({ count: number }) => count(number) },
    ],
    keyOf: ({ cause, initiator, status }) => `${cause} ${initiator} ${status}`,
  });

  constructor(context: ViewContext) {
    this.#context = context;
    this.element = el(
      'div',
      {},
      el('h1', {}, this.title),
      this.#facts.element,
      this.#process,
      el('h2', {}, 'The last minutes'),
      el('div', { class: 'plots' }, ...this.#plots.map(({ element }) => element)),
      el('h2', {}, 'Ends'),
      this.#closes.element,
    );
  }

  async refresh(asked: Promise<Stats>): Promise<void> {
    const stats = await asked;
    const { samples } = this.#context;
    this.#facts.show(factsOf(stats, (name) => samples.last(name)));
    for (const plot of this.#plots) plot.show(samples);
    if (stats.process !== undefined) setText(this.#process, processText(stats.process));
    this.#closes.show(stats.closes.toSorted((one, other) => other.count - one.count));
  }

  close(): void {
    for (const plot of this.#plots) plot.close();
  }
}

function factsOf(stats: Stats, last: (name: 'messagesIn' | 'messagesOut' | 'bytesIn' | 'bytesOut') => Point): Fact[] {
  const { states, process } = stats;
  const rate = (value: Point, say: (value: number) => string) => (value === null ? '…' : say(value));
  return [
    ['Connections', count(stats.connections)],
    ['Open', count(states['connection.open'] ?? 0)],
    ['In their handshake', count(states['connection.handshaking'] ?? 0)],
    ['Clients slow to read', count(states['connection.open.outbound.throttled'] ?? 0)],
    ['Targets slow to read', count(states['upstream.open.outbound.throttled'] ?? 0)],
    ['Stalled, ended for it', count(sumOf(stats.closes, ({ cause }) => cause === STALLED))],
    ['Messages from clients', rate(last('messagesIn'), perSecond)],
    ['Messages to clients', rate(last('messagesOut'), perSecond)],
    ['Bytes from clients', rate(last('bytesIn'), bytesPerSecond)],
    ['Bytes to clients', rate(last('bytesOut'), bytesPerSecond)],
    ['Opened in all', count(stats.opened)],
    ['Bytes held', bytes(stats.heldBytes)],
    ...(process === undefined ? [] : [['Memory of the process', bytes(process.rss)] satisfies Fact]),
  ];
}

function processText({ pid, version, node }: ProcessInfo): string {
  return `Process ${pid}, Tidegate ${printable(version)}, Node.js ${printable(node)}`;
}
