/** Owns one plot of the last minutes, with its numbers in words beside it. Refuses to keep the numbers. */
import uPlot from 'uplot';
import { el, setAttribute, setText } from './elements.js';
import type { Point, Samples, SeriesName } from './samples.js';

/** One line of a plot. */
export interface Line {
  readonly series: SeriesName;
  readonly label: string;
}

/** What a plot shows. */
export interface PlotPlan {
  readonly title: string;
  readonly lines: readonly Line[];
  /** What the lines of its grid may differ by; undefined for round numbers. */
  readonly steps?: number[] | undefined;
  /** How a value is said. */
  say(value: number): string;
}

const HEIGHT = 150;

/** How often the words about a plot change, in milliseconds: they are read, not watched. */
const TOLD_EVERY = 5000;

/** One plot. */
export class Plot {
  readonly element: HTMLElement;
  readonly #plan: PlotPlan;
  readonly #picture = el('div', { class: 'picture', role: 'img' });
  readonly #values: HTMLElement[];
  readonly #resized: ResizeObserver;
  #plot: uPlot | undefined;
  #told = 0;
  #colours = '';

  constructor(plan: PlotPlan) {
    this.#plan = plan;
    this.#values = plan.lines.map(() => el('output', { 'aria-live': 'off' }));
    const legend = plan.lines.map(({ label }, index) =>
      el('li', {}, el('span', { class: `swatch line-${index + 1}` }), `${label} `, this.#values[index]!),
    );
    const caption = el('figcaption', {}, el('h3', {}, plan.title), el('ul', { class: 'legend' }, ...legend));
    this.element = el('figure', { class: 'plot' }, caption, this.#picture);
    this.#resized = new ResizeObserver(() => {
      const width = this.#picture.clientWidth;
      if (width > 0 && this.#plot !== undefined && this.#plot.width !== width) {
        this.#plot.setSize({ width, height: HEIGHT });
      }
    });
    this.#resized.observe(this.#picture);
  }

  show(samples: Samples): void {
    const { lines, say } = this.#plan;
    const data = [samples.times, ...lines.map(({ series }) => samples.series[series])];
    this.#draw(data as uPlot.AlignedData);
    for (const [index, { series }] of lines.entries()) {
      const value = samples.last(series);
      setText(this.#values[index]!, value === null ? 'not known' : say(value));
    }
    if (Date.now() - this.#told < TOLD_EVERY) return;
    this.#told = Date.now();
    setAttribute(this.#picture, 'aria-label', `Plot. ${lines.map((line) => this.#sentence(line, samples)).join(' ')}`);
  }

  close(): void {
    this.#resized.disconnect();
    this.#plot?.destroy();
  }

  #sentence({ series, label }: Line, samples: Samples): string {
    const { say } = this.#plan;
    const values = samples.series[series].filter((value): value is number => value !== null);
    if (values.length === 0) return `${label}: not known.`;
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const seconds = Math.round((samples.times.at(-1) ?? 0) - (samples.times[0] ?? 0));
    return `${label}: now ${say(values.at(-1)!)}, between ${say(low)} and ${say(high)} in the last ${seconds} s.`;
  }

  #draw(data: uPlot.AlignedData): void {
    const width = this.#picture.clientWidth;
    if (width === 0) return;
    // The scheme of the reader may change while the page is open.
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const colours = ['--quiet', '--rule', ...this.#plan.lines.map((_, index) => `--line-${index + 1}`)].map(colour);
    if (this.#plot !== undefined && colours.join() === this.#colours) {
      this.#plot.setData(data);
      return;
    }
    this.#plot?.destroy();
    this.#colours = colours.join();
    this.#plot = new uPlot(this.#options(width, colours), data, this.#picture);
  }

  #options(width: number, [ink = '', rule = '', ...lines]: readonly string[]): uPlot.Options {
    const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { show: false }, font: '12px system-ui' };
    const { say } = this.#plan;
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 30, 0, 0],
      scales: { y: { range: (_, __, high) => [0, niceTop(high)] } },
      axes: [
        {
          ...axis,
          size: 28,
          space: 90,
          values: [[1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1]] as never,
        },
        {
          ...axis,
          size: 74,
          space: 28,
          incrs: this.#plan.steps,
          values: (_, splits) => splits.map((value: Point) => say(value ?? 0)),
        },
      ],
      series: [{}, ...this.#plan.lines.map(({ label }, index) => lineOf(label, lines[index]!, index))],
    };
  }
}

/** Lines differ in more than their colour. */
function lineOf(label: string, stroke: string, index: number): uPlot.Series {
  return { label, stroke, width: 1.5, points: { show: false }, dash: [[], [6, 3], [2, 3], [10, 3, 2, 3]][index] ?? [] };
}

/** A little above the highest value; never nothing. */
function niceTop(high: number | null): number {
  return high === null || high <= 0 ? 1 : high * 1.1;
}
