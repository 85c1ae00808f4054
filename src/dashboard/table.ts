/** Owns a table whose rows change. Refuses to know what they show. */
import { type Entry, el, KeyedList, setText } from './elements.js';

/** One column. */
export interface Column<Row> {
  readonly title: string;
  /** Whether it is left out where there is little room. */
  readonly wide?: boolean | undefined;
  /** Whether it holds numbers. */
  readonly number?: boolean | undefined;
  text(row: Row): string;
  /** Where the text leads; undefined for nowhere. */
  href?(row: Row): string;
}

/** What makes a table. */
export interface TablePlan<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  keyOf(row: Row): string;
  /** What stands in a last column of its own, such as buttons. Made once for each row. */
  extra?: { readonly title: string; create(row: Row): Entry<Row> } | undefined;
}

/** A table in a region of its own, which is scrolled sideways where it is too wide. */
export class Table<Row> {
  readonly element: HTMLElement;
  readonly headers: readonly HTMLTableCellElement[];
  readonly #rows: KeyedList<Row>;
  readonly #empty: HTMLElement;

  constructor(plan: TablePlan<Row>) {
    const { caption, columns, keyOf, extra } = plan;
    this.headers = columns.map(({ title, wide, number }) =>
      el('th', { scope: 'col', class: classOf(wide, number) }, title),
    );
    const head = el('tr', {}, ...this.headers, ...(extra ? [el('th', { scope: 'col' }, extra.title)] : []));
    const body = el('tbody');
    this.#rows = new KeyedList(body, keyOf, (row) => createRow(plan, row));
    this.#empty = el('p', { class: 'empty' }, 'There are none.');
    this.element = el(
      'div',
      { class: 'scroller', role: 'region', 'aria-label': caption, tabindex: '0' },
      el('table', {}, el('caption', {}, caption), el('thead', {}, head), body),
      this.#empty,
    );
  }

  show(rows: readonly Row[]): void {
    this.#rows.show(rows);
    this.#empty.hidden = rows.length > 0;
  }
}

function createRow<Row>({ columns, extra }: TablePlan<Row>, row: Row): Entry<Row> {
  const cells = columns.map((column, index) => {
    const holder = column.href === undefined ? el('bdi') : el('a', { href: column.href(row), dir: 'auto' });
    const name = index === 0 ? 'th' : 'td';
    const attributes = { class: classOf(column.wide, column.number), scope: index === 0 ? 'row' : undefined };
    return { column, holder, cell: el(name, attributes, holder) };
  });
  const more = extra?.create(row);
  const element = el('tr', {}, ...cells.map(({ cell }) => cell), ...(more ? [el('td', {}, more.element)] : []));
  return {
    element,
    update(now) {
      for (const { column, holder } of cells) setText(holder, column.text(now));
      more?.update(now);
    },
  };
}

function classOf(wide?: boolean, number?: boolean): string | undefined {
  const names = [wide ? 'wide' : '', number ? 'number' : ''].filter((name) => name !== '');
  return names.length === 0 ? undefined : names.join(' ');
}
