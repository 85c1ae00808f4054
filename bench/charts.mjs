/** Owns which figures of each part are drawn. */
import { percentilesOf } from './parts.mjs';
import { bars } from './plot.mjs';
import { figuresOf, namesOf, referenceOf, scenarioName, tableOf } from './tables.mjs';

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The SVG of a part.
 *
 * @param {string} name
 * @param {object} result
 * @param {ReadonlySet<string>} ours names of the kinds of Tidegate
 */
export function chartOf(name, result, ours) {
  const { title } = tableOf(name, result);
  const drawn = (drawings[name] ?? ratios)(result);
  return bars({ ...drawn, title, series: drawn.series.map((one) => ({ ...one, ours: ours.has(one.name) })) });
}

/** Scenarios differ by orders of magnitude, so what is drawn is the ratio. */
function ratios(result) {
  const reference = referenceOf(result);
  return {
    axis: `per CPU-second, ${reference} = 1`,
    groups: result.rows.map(({ scenario }) => scenarioName(scenario)),
    series: namesOf(result).map((name) => ({
      name,
      values: result.rows.map((row) => figuresOf(row, name, reference)?.ratio),
    })),
  };
}

function absolute(axis, unit) {
  return (result) => ({
    axis,
    groups: result.rows.map(({ scenario }) => scenarioName(scenario)),
    series: namesOf(result).map((name) => ({
      name,
      values: result.rows.map((row) => {
        const value = figuresOf(row, name)?.value;
        return value === undefined ? undefined : value / unit;
      }),
    })),
  });
}

const drawings = {
  connects: absolute('connections per CPU-second', 1),
  idle: absolute('KiB per idle pair', KIB),
  'slow-reader': absolute('growth of the proxy, MiB', MIB),

  latency({ rows: [{ cells }], direct }) {
    const of = (name, { p50, p99, p999 }) => ({ name, values: [p50, p99, p999] });
    const measured = Object.entries(cells).filter(([, { samples }]) => samples.length > 0);
    return {
      axis: 'microseconds',
      groups: ['p50', 'p99', 'p99.9'],
      series: [of('no proxy', direct), ...measured.map(([name, { samples }]) => of(name, percentilesOf(samples)))],
    };
  },
};
