/** Owns reading the value of a chart: which states are active, and how that is said in a few words. Refuses to draw. */
import type { ChartValue } from './api/contract.js';
import { printable } from './words.js';

/** The ids of all active states, those above first: `connection`, `connection.open`, … */
export function stateIds(chart: string, value: ChartValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return [chart, `${chart}.${value}`];
  return [
    chart,
    ...Object.entries(value).flatMap(([name, inner]) =>
      inner === undefined || isEmpty(inner) ? [`${chart}.${name}`] : stateIds(`${chart}.${name}`, inner),
    ),
  ];
}

/** Such as `open: flowing, reading, alive`; empty for none. */
export function valueText(value: ChartValue | undefined): string {
  return value === undefined || value === null ? '' : printable(said(value));
}

function said(value: ChartValue): string {
  if (typeof value === 'string') return value;
  const parts = Object.entries(value).map(([name, inner]) => {
    if (inner === undefined || isEmpty(inner)) return name;
    if (typeof inner === 'string') return `${name} ${inner}`;
    return `${name}: ${leaves(inner).join(', ')}`;
  });
  return parts.join(', ');
}

function leaves(value: ChartValue): string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined || isEmpty(inner) ? [name] : leaves(inner),
  );
}

function isEmpty(value: ChartValue): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0;
}
