/** Owns drawing: groups of bars as an SVG that can be read on a light and on a dark page. */

const BAR = 11;
const GAP = 22;
const LEFT = 70;
const TOP = 44;
const HEIGHT = 260;
const LEGEND_COLUMN = 150;
const LEGEND_LINE = 18;
const BOTTOM = 40;
/** Told apart also by most who are colour-blind; ours are blue. */
const OURS = ['#1f77d0', '#6db1f2', '#0b3f7a', '#9ccaf7', '#4a90c2', '#274e78', '#b7d7f0'];
const THEIRS = [
  '#d95f02',
  '#e6ab02',
  '#7570b3',
  '#a99fd8',
  '#1b9e77',
  '#e7298a',
  '#f48fb1',
  '#8c6d31',
  '#888888',
  '#b0b0b0',
  '#66a61e',
];

/**
 * @param {object} chart
 * @param {string} chart.title
 * @param {string} chart.axis what the bars measure, with its unit
 * @param {readonly string[]} chart.groups labels along the horizontal axis
 * @param {readonly { name: string, ours: boolean, values: readonly (number | undefined)[] }[]} chart.series
 */
export function bars({ title, axis, groups, series }) {
  const inGroup = series.length * BAR;
  const width = Math.max(LEFT + groups.length * (inGroup + GAP) + GAP, 4 * LEGEND_COLUMN + LEFT);
  const columns = Math.floor((width - LEFT) / LEGEND_COLUMN);
  const legendTop = TOP + HEIGHT + BOTTOM;
  const height = legendTop + Math.ceil(series.length / columns) * LEGEND_LINE + 10;
  const scale = scaleFor(series.flatMap(({ values }) => values.filter((value) => value > 0)));
  const coloured = withColours(series);

  const lines = scale.ticks.map((tick) => {
    const y = TOP + HEIGHT - scale.position(tick) * HEIGHT;
    return `<line class="grid" x1="${LEFT}" x2="${width}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}"/><text x="${LEFT - 6}" y="${(y + 4).toFixed(1)}" text-anchor="end">${tickName(tick)}</text>`;
  });
  const groupsDrawn = groups.map((label, group) => {
    const start = LEFT + GAP + group * (inGroup + GAP);
    const drawn = coloured.map(({ name, colour, values }, index) => {
      const value = values[group];
      if (value === undefined || !(value > 0)) return '';
      const size = scale.position(value) * HEIGHT;
      return `<rect x="${start + index * BAR}" y="${(TOP + HEIGHT - size).toFixed(1)}" width="${BAR - 1}" height="${size.toFixed(1)}" fill="${colour}"><title>${escaped(`${name}, ${label}: ${tickName(value)}`)}</title></rect>`;
    });
    return `${drawn.join('')}<text x="${start + inGroup / 2}" y="${TOP + HEIGHT + 18}" text-anchor="middle">${escaped(label)}</text>`;
  });
  const legend = coloured.map(({ name, colour }, index) => {
    const x = LEFT + (index % columns) * LEGEND_COLUMN;
    const y = legendTop + Math.floor(index / columns) * LEGEND_LINE;
    return `<rect x="${x}" y="${y}" width="10" height="10" fill="${colour}"/><text x="${x + 16}" y="${y + 9}">${escaped(name)}</text>`;
  });

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .grid { stroke: #8884 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>
<text class="title" x="${LEFT}" y="20">${escaped(title)}</text>
<text transform="translate(14 ${TOP + HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(axis)}</text>
${[...lines, ...groupsDrawn, ...legend].join('\n')}
</svg>
`;
}

/** Linear, or by powers of ten when the bars differ so much that the small ones would not show. */
function scaleFor(values) {
  const largest = Math.max(...values, 1e-9);
  const smallest = Math.min(...values, largest);
  if (largest / smallest <= 30) {
    const step = niceStep(largest);
    const top = Math.ceil(largest / step) * step;
    const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step);
    return { ticks, position: (value) => value / top };
  }
  const [low, high] = [Math.floor(Math.log10(smallest)), Math.ceil(Math.log10(largest))];
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  return { ticks, position: (value) => Math.max(0, (Math.log10(value) - low) / Math.max(1, high - low)) };
}

function niceStep(largest) {
  const power = 10 ** Math.floor(Math.log10(largest / 5));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => largest / step <= 6);
}

function tickName(value) {
  if (value >= 1e6) return `${trim(value / 1e6)}M`;
  return value >= 1e3 ? `${trim(value / 1e3)}k` : trim(value);
}

function trim(value) {
  return String(Number(value.toPrecision(3)));
}

function withColours(series) {
  let [ours, theirs] = [0, 0];
  return series.map((one) => ({
    ...one,
    colour: one.ours ? OURS[ours++ % OURS.length] : THEIRS[theirs++ % THEIRS.length],
  }));
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
