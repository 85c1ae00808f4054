/** Owns the view of one connection: where its charts are, live, what is known of it, and what can be done to it. Refuses to do it unasked. */
import { perform } from '../actions.js';
import { ApiFailure } from '../api/api.js';
import type { ConnectionDetail, Explanation, HistoryEntry, Stats } from '../api/contract.js';
import { stateIds, valueText } from '../chart-value.js';
import { button, el, KeyedList, setAttribute, setText } from '../elements.js';
import { Facts } from '../facts.js';
import { InspectFrames, type Moved, type PairChart } from '../inspect-frames.js';
import { StateChart } from '../state-chart.js';
import { Table } from '../table.js';
import type { View, ViewContext } from '../view.js';
import { clockTime, printable } from '../words.js';
import { connectionActions } from './connection-actions.js';
import { endOf, explanationOf, factsOf, fullText, refusalOf } from './connection-facts.js';

/** The view of one connection. */
export class ConnectionView implements View {
  readonly title: string;
  readonly element: HTMLElement;
  readonly #context: ViewContext;
  readonly #id: string;
  readonly #gone = el('p', { class: 'gone', role: 'status' });
  readonly #summary = el('p', { class: 'reason', dir: 'auto' });
  readonly #reasonList = el('ul', { class: 'reasons' });
  readonly #reasons = new KeyedList<string>(
    this.#reasonList,
    (line) => line.split(/[ ,:]/, 1)[0]!,
    () => {
      const element = el('li', { dir: 'auto' });
      return { element, update: (line) => setText(element, line) };
    },
  );
  readonly #full = el('pre', { tabindex: '0' });
  readonly #explanation = el(
    'section',
    { class: 'explanation', hidden: true },
    el('h2', {}, 'Why'),
    this.#reasonList,
    el('details', {}, el('summary', {}, 'The whole explanation'), this.#full),
  );
  /** What steps mean, by {@link stepKey}. */
  readonly #words = new Map<string, string>();
  readonly #facts = new Facts({ class: 'facts', 'aria-label': 'Facts' });
  readonly #end = new Facts({ class: 'facts', 'aria-label': 'How it ended' });
  readonly #endSection = el('section', { hidden: true }, el('h2', {}, 'How it ended'), this.#end.element);
  readonly #charts = { connection: new StateChart('connection'), upstream: new StateChart('upstream') };
  readonly #now = { connection: el('p', { class: 'now', role: 'status' }), upstream: el('p', { class: 'now' }) };
  readonly #upstream: HTMLElement;
  readonly #buttons: HTMLButtonElement[];
  readonly #history = new Table<HistoryEntry>({
    caption: 'Last events, newest first',
    columns: [
      { title: 'At', text: ({ at }) => clockTime(at) },
      { title: 'Chart', text: ({ side }) => printable(side) },
      { title: 'Event', text: ({ event }) => printable(event) },
      { title: 'Then', text: ({ value }) => valueText(value) },
      { title: 'In words', wide: true, text: (step) => printable(this.#words.get(stepKey(step)) ?? '') },
    ],
    keyOf: ({ at, side, event, value }) => `${at} ${side} ${event} ${JSON.stringify(value)}`,
  });
  readonly #following = new AbortController();
  #isFollowed = false;
  #last: ConnectionDetail | undefined;

  constructor(context: ViewContext, id: string) {
    this.#context = context;
    this.#id = id;
    this.title = `Connection ${printable(id, 80)}`;
    this.#buttons = Object.entries(connectionActions(id, undefined)).map(([name, { harms }]) =>
      button(name, () => void perform(this.#context, connectionActions(this.#id, this.#last)[name]!), {
        class: harms ? 'harm' : undefined,
      }),
    );
    this.#upstream = this.#section('The connection to its target', 'upstream');
    this.element = el(
      'div',
      {},
      el('p', {}, el('a', { href: context.hrefOf({ view: 'connections' }) }, 'All connections')),
      el('h1', { dir: 'auto' }, this.title),
      this.#gone,
      el('div', { class: 'actions', role: 'group', 'aria-label': 'Actions' }, ...this.#buttons),
      this.#summary,
      el(
        'div',
        { class: 'halves' },
        el(
          'div',
          {},
          this.#explanation,
          this.#endSection,
          el('h2', {}, 'Facts'),
          this.#facts.element,
          el('h2', {}, 'Last events'),
          this.#history.element,
        ),
        el('div', {}, this.#section('Where it is', 'connection'), this.#upstream),
      ),
    );
  }

  async refresh(_: Promise<Stats>, signal: AbortSignal): Promise<void> {
    let detail: ConnectionDetail;
    try {
      detail = await this.#context.api.get(`/api/v1/connections/${encodeURIComponent(this.#id)}`, {}, signal);
    } catch (error) {
      if (!(error instanceof ApiFailure) || error.status !== 404) throw error;
      this.#over('There is no such connection any more. What is shown is the last that was seen of it.');
      return;
    }
    if (signal.aborted) return;
    // Of one that is over less is told: what was seen before stays.
    this.#last = { ...this.#last, ...detail };
    this.#show(this.#last);
    void this.#follow();
  }

  close(): void {
    this.#following.abort();
  }

  #show(detail: ConnectionDetail): void {
    const { chart, state, upstream, history = [], closeReport, refusal, explanation } = detail;
    const isOver = closeReport !== undefined || refusal !== undefined;
    this.#facts.show(factsOf(detail));
    if (explanation !== undefined) this.#explain(explanation, isOver);
    this.#history.show(history.toReversed());
    this.#moved({ chart: 'connection', value: isOver || chart === undefined ? state : chart });
    // The target may end later than the connection, of which less is told then: its steps still are.
    const lastStep = history.findLast(({ side }) => side === 'upstream')?.value;
    const there = isOver ? (lastStep ?? upstream?.chart) : (upstream?.chart ?? lastStep);
    this.#upstream.hidden = there === undefined;
    if (there !== undefined) this.#moved({ chart: 'upstream', value: there });
    this.#endSection.hidden = !isOver;
    if (closeReport !== undefined) this.#end.show(endOf(closeReport));
    else if (refusal !== undefined) this.#end.show(refusalOf(refusal));
    if (isOver) this.#over('This connection is over.');
  }

  #explain(explanation: Explanation, isOver: boolean): void {
    this.#words.clear();
    for (const step of explanation.history) this.#words.set(stepKey(step), step.text);
    const [summary = '', ...lines] = explanationOf(explanation, isOver);
    setText(this.#summary, summary);
    this.#reasons.show(lines);
    setText(this.#full, fullText(explanation));
    this.#explanation.hidden = false;
  }

  #over(text: string): void {
    setText(this.#gone, text);
    for (const one of this.#buttons) setAttribute(one, 'disabled', true);
    this.#following.abort();
  }

  #moved({ chart, value }: Moved): void {
    this.#charts[chart].showActive(stateIds(chart, value));
    if (chart === 'upstream') this.#upstream.hidden = false;
    setText(this.#now[chart], `Now: ${valueText(value)}`);
  }

  /** Follows each step as it is taken. Where that cannot be, the look of every second has to do. */
  async #follow(): Promise<void> {
    const { signal } = this.#following;
    if (this.#isFollowed || signal.aborted) return;
    this.#isFollowed = true;
    const frames = new InspectFrames();
    try {
      for await (const text of this.#context.api.follow('/api/v1/inspect', { connection: this.#id }, signal)) {
        const moved = frames.read(text);
        if (moved !== undefined) this.#moved(moved);
      }
    } catch (error) {
      // A server without the stream goes on being asked every second; one that was lost is followed again.
      if (error instanceof ApiFailure && !error.isOutage) return;
    }
    this.#isFollowed = false;
  }

  #section(title: string, chart: PairChart): HTMLElement {
    return el(
      'section',
      { class: 'live', 'aria-labelledby': `live-${chart}` },
      el('h2', { id: `live-${chart}` }, title),
      this.#now[chart],
      el(
        'div',
        { class: 'scroller drawing', role: 'region', 'aria-label': `Statechart ${chart}`, tabindex: '0' },
        this.#charts[chart].element as unknown as HTMLElement,
      ),
    );
  }
}

function stepKey({ at, side, event }: { readonly at: number; readonly side: string; readonly event: string }): string {
  return `${at} ${side} ${event}`;
}
