/** Owns `tidegate top` on a terminal: looks at every interval and at every key that asks for it, and draws. Refuses to know HTTP. */
import { describeError } from '../../../receivers/errors.js';
import { printable } from '../../telemetry/printable.js';
import type { AdminClient } from '../admin/admin-client.js';
import type { SignalSource } from '../io.js';
import { type Key, Terminal, type TerminalStreams } from './terminal.js';
import { fitted } from './text-width.js';
import { HEAD_LINES, topLines } from './top-frame.js';
import { SORTS, type TopSample, TopSampler, type TopSort } from './top-sample.js';

/** What a view is made of. */
export interface TopViewOptions {
  readonly client: AdminClient;
  readonly streams: TerminalStreams;
  readonly signals: SignalSource;
  readonly sort: TopSort;
  /** Milliseconds. */
  readonly interval: number;
}

const HELP = 'q quit  ↑↓ choose  ⏎ explain  ←→ order: b bytes  m messages  f buffered  r round trip  n newest';

const SORT_KEYS: Readonly<Record<Key, TopSort>> = {
  b: 'bytes',
  m: 'messages',
  f: 'bufferedBytes',
  r: 'roundTripMs',
  n: 'openedAt',
};

const ENDS = new Set<Key>(['q', 'ctrl-c', 'ctrl-d']);

/** Shows a server until somebody has seen enough. */
export class TopView {
  readonly #options: TopViewOptions;
  readonly #sampler: TopSampler;
  #terminal: Terminal | undefined;
  #sort: TopSort;
  #selected = 0;
  #sample: TopSample | undefined;
  #problem: string | undefined;
  /** The lines of an explanation that is shown in place of the list. */
  #explained: readonly string[] | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #finish: () => void = () => {};

  constructor(options: TopViewOptions) {
    this.#options = options;
    this.#sampler = new TopSampler(options.client);
    this.#sort = options.sort;
  }

  /** Resolves when it was left. Rejects, with the terminal as it was, when not even the first look was possible. */
  async run(): Promise<void> {
    const { streams, signals } = this.#options;
    this.#sample = await this.#sampler.look(this.#sort, (streams.output.rows || 24) - HEAD_LINES);
    const over = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) signals.on(signal, this.#finish);
    const terminal = new Terminal(
      streams,
      (key) => this.#pressed(key),
      () => void this.#look(),
    );
    this.#terminal = terminal;
    try {
      this.#draw();
      this.#timer = setInterval(() => void this.#look(), this.#options.interval);
      await over;
    } finally {
      clearInterval(this.#timer);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) signals.off(signal, this.#finish);
      terminal.release();
    }
  }

  #pressed(key: Key): void {
    if (this.#explained !== undefined && !key.startsWith('ctrl-')) {
      this.#explained = undefined;
      this.#draw();
      return;
    }
    if (ENDS.has(key)) this.#finish();
    else if (key === 'return') void this.#explain();
    else if (key === 'up') this.#choose(this.#selected - 1);
    else if (key === 'down') this.#choose(this.#selected + 1);
    else if (key === 'left' || key === 'right') {
      const next = SORTS.indexOf(this.#sort) + (key === 'left' ? -1 : 1) + SORTS.length;
      this.#order(SORTS[next % SORTS.length]!);
    } else if (Object.hasOwn(SORT_KEYS, key)) this.#order(SORT_KEYS[key]!);
  }

  #choose(row: number): void {
    this.#selected = row;
    this.#draw();
  }

  #order(sort: TopSort): void {
    this.#sort = sort;
    this.#selected = 0;
    void this.#look();
  }

  async #look(): Promise<void> {
    const terminal = this.#terminal;
    if (terminal === undefined) return;
    if (!this.#isLooking) {
      this.#isLooking = true;
      try {
        this.#sample = await this.#sampler.look(this.#sort, terminal.rows - HEAD_LINES - 1);
        this.#problem = undefined;
      } catch (error) {
        // What was there is shown on: the server may come back.
        this.#problem = describeError(error);
      } finally {
        this.#isLooking = false;
      }
    }
    this.#draw();
  }

  async #explain(): Promise<void> {
    const id = this.#sample?.rows[this.#selected]?.row.id;
    if (id === undefined) return;
    try {
      const answer = await this.#options.client.get(`/api/v1/connections/${encodeURIComponent(id)}/explain`);
      this.#explained = String((answer as { text?: unknown }).text)
        .split('\n')
        .map(printable);
    } catch (error) {
      this.#explained = [printable(describeError(error))];
    }
    this.#draw();
  }

  #draw(): void {
    const terminal = this.#terminal;
    const sample = this.#sample;
    if (terminal === undefined || sample === undefined) return;
    const { columns, rows } = terminal;
    if (this.#explained !== undefined) {
      const shown = this.#explained.slice(0, rows - 1).map((line) => fitted(line, columns).trimEnd());
      terminal.show([...shown, 'any key: back to the list']);
      return;
    }
    this.#selected = Math.max(0, Math.min(this.#selected, sample.rows.length - 1));
    const frame = { sample, url: this.#options.client.url, sort: this.#sort, problem: this.#problem };
    const lines = topLines(frame, columns).slice(0, rows - 1);
    const filled = [...lines, ...Array.from({ length: Math.max(0, rows - 1 - lines.length) }, () => '')];
    const chosen = sample.rows.length === 0 ? undefined : HEAD_LINES + this.#selected;
    terminal.show([...filled, fitted(HELP, columns).trimEnd()], chosen);
  }
}
