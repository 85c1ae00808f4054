/** Owns a drawn statechart on the page: how many are in each state, and where one actor is. Refuses to know whose numbers they are. */
import { setAttribute, setText } from './elements.js';
import { counted, shortCount } from './words.js';

const SVG = 'http://www.w3.org/2000/svg';

/** The charts that are drawn. */
export type ChartName = 'connection' | 'upstream' | 'supervisor' | 'pool' | 'backend';

interface Badge {
  readonly link: SVGAElement;
  readonly box: SVGRectElement;
  readonly text: SVGTextElement;
  readonly width: number;
  readonly above: boolean;
}

/** One drawing. */
export class StateChart {
  readonly element: SVGSVGElement;
  /** The ids of its states, in the order they are drawn. */
  readonly states: readonly string[];
  readonly #groups: ReadonlyMap<string, SVGGElement>;
  readonly #badges = new Map<string, Badge>();
  #active: ReadonlySet<string> = new Set();

  constructor(readonly name: ChartName) {
    const template = document.getElementById(`chart-${name}`) as HTMLTemplateElement;
    this.element = document.importNode(template.content, true).querySelector('svg')!;
    const groups = [...this.element.querySelectorAll<SVGGElement>('[data-state]')];
    this.#groups = new Map(groups.map((group) => [group.dataset.state!, group]));
    this.states = [...this.#groups.keys()];
  }

  /**
   * Shows how many are in each state; a state is a link to where they are listed.
   *
   * @param noun what is counted, such as `connection`.
   */
  showCounts(counts: Readonly<Record<string, number>>, noun: string, hrefOf: (state: string) => string): void {
    for (const [state, group] of this.#groups) {
      const badge = this.#badges.get(state) ?? this.#addBadge(state, group, hrefOf(state));
      const count = counts[state] ?? 0;
      const shown = shortCount(count);
      setAttribute(badge.link, 'class', count === 0 ? 'count none' : 'count');
      setAttribute(badge.link, 'aria-label', `${state}: ${counted(count, noun)}`);
      // Where nobody is there is nothing to go to; a chart has many states.
      setAttribute(badge.link, 'tabindex', count === 0 ? '-1' : '0');
      if (badge.text.textContent === shown) continue;
      setText(badge.text, shown);
      const width = 14 + shown.length * 8;
      const left = badge.width - width - 8;
      setAttribute(badge.box, 'width', String(width));
      setAttribute(badge.text, 'x', String(width / 2));
      setAttribute(badge.link, 'transform', `translate(${left} ${badge.above ? -10 : 3})`);
    }
  }

  /** Shows where one actor is. */
  showActive(states: readonly string[]): void {
    const active = new Set(states);
    for (const state of this.#active) if (!active.has(state)) this.#groups.get(state)?.classList.remove('active');
    for (const state of active) this.#groups.get(state)?.classList.add('active');
    this.#active = active;
  }

  #addBadge(state: string, group: SVGGElement, href: string): Badge {
    const rect = group.querySelector('rect')!;
    const link = document.createElementNS(SVG, 'a');
    const box = document.createElementNS(SVG, 'rect');
    const text = document.createElementNS(SVG, 'text');
    link.setAttribute('href', href);
    box.setAttribute('height', '20');
    box.setAttribute('rx', '10');
    text.setAttribute('y', '14');
    link.append(box, text);
    group.append(link);
    // All of what is drawn of a state leads where its number does.
    for (const drawn of group.querySelectorAll(':scope > rect, :scope > text')) {
      drawn.addEventListener('click', () => {
        location.hash = href;
      });
    }
    group.classList.add('pressable');
    const isLeaf = group.classList.contains('atomic') || group.classList.contains('final');
    const badge = { link, box, text, width: Number(rect.getAttribute('width')), above: isLeaf };
    this.#badges.set(state, badge);
    return badge;
  }
}
