/**
 * Owns how a chart looks. Every state is a `<g>` with its id, so that a page can show where an actor is by the class
 * `active`; colours follow the reader's scheme. Refuses to place anything.
 */
import { layOut, lineHeight, METRICS } from './layout.mjs';

const LIGHT = {
  paper: '#ffffff',
  ink: '#1e293b',
  quiet: '#64748b',
  line: '#94a3b8',
  state: '#f1f5f9',
  final: '#e2e8f0',
  active: '#0f766e',
  glow: '#ccfbf1',
};

const DARK = {
  paper: '#0f172a',
  ink: '#e2e8f0',
  quiet: '#94a3b8',
  line: '#64748b',
  state: '#1e293b',
  final: '#334155',
  active: '#2dd4bf',
  glow: '#134e4a',
};

const colours = (c) =>
  [
    `.paper,.label rect{fill:${c.paper}}`,
    `text{fill:${c.quiet}}`,
    `.name,.event{fill:${c.ink}}`,
    `.state>rect{fill:${c.paper};stroke:${c.line}}`,
    `.atomic>rect{fill:${c.state}}`,
    `.final>rect{fill:${c.final};stroke:${c.quiet}}`,
    `.edge,.rule{stroke:${c.line}}`,
    `.tip,.start{fill:${c.quiet}}`,
    `.active>rect{stroke:${c.active}}`,
    `.atomic.active>rect,.final.active>rect{fill:${c.glow}}`,
    `.active>.name{fill:${c.active}}`,
  ].join('');

const STYLE = [
  colours(LIGHT),
  `@media(prefers-color-scheme:dark){${colours(DARK)}}`,
  'text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}',
  '.name{font:600 14px system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}',
  '.label text{text-anchor:middle}',
  '.state>rect{stroke-width:1.5}',
  '.final>rect{stroke-width:3}',
  '.active>rect{stroke-width:2.5}',
  '.edge,.rule{fill:none;stroke-width:1.5}.rule{stroke-width:1}',
  '.region>rect{fill:none;stroke:none}',
  '.region>.rule{stroke-dasharray:5 4}',
  '.region>.name{font-style:italic;font-weight:500}',
].join('\n');

// One decimal is finer than a pixel, and keeps the files free of rounding noise.
const round = (number) => String(Math.round(number * 10) / 10);

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Draws a chart.
 *
 * @param {import('./read-chart.mjs').State} chart
 * @returns {Promise<string>}
 */
export async function toSvg(chart) {
  const placed = await layOut(chart);
  const margin = 8;
  const width = round(placed.width + 2 * margin);
  const height = round(placed.height + 2 * margin);
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Statechart ${chart.id}">`,
    `<style>\n${STYLE}\n</style>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="tip" d="M0 0.5 8 4 0 7.5Z"/></marker></defs>',
    `<rect class="paper" width="${width}" height="${height}" rx="10"/>`,
    drawState({ ...placed, x: margin, y: margin }),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

function drawState(state) {
  const { pad, line, head } = METRICS;
  const region = state.kind === 'region';
  const ruled = state.children.length > 0 && state.kind !== 'parallel';
  return [
    `<g id="${state.id}" class="state ${state.kind}" transform="translate(${round(state.x)} ${round(state.y)})">`,
    `<rect width="${round(state.width)}" height="${round(state.height)}" rx="9"/>`,
    `<text class="name" x="${pad}" y="18">${escaped(state.name)}</text>`,
    ...state.does.map((one, index) => `<text x="${pad}" y="${head + 10 + index * line}">${escaped(one)}</text>`),
    // A region is set off from what is above it, any other state its head from what is inside.
    ...(ruled ? [`<path class="rule" d="M0 ${region ? 0 : round(state.headHeight)}H${round(state.width)}"/>`] : []),
    ...drawRoutes(state),
    ...state.children.map(drawState),
    '</g>',
  ].join('\n');
}

function drawRoutes(state) {
  if (state.routes.length === 0) return [];
  const down = state.headHeight;
  const parts = [`<g transform="translate(0 ${round(down)})">`];
  if (state.initialAt) {
    parts.push(
      `<circle class="start" cx="${round(state.initialAt.x + 6)}" cy="${round(state.initialAt.y + 6)}" r="6"/>`,
    );
  }
  for (const { points } of state.routes)
    parts.push(`<path class="edge" d="${rounded(points)}" marker-end="url(#tip)"/>`);
  for (const { labels } of state.routes) {
    for (const { x, y, width, height, text } of labels) {
      let top = 2;
      const rows = text.split('\n').map((row) => {
        const baseline = top + 12;
        top += lineHeight(row);
        if (row === '') return '';
        return `<text${row.startsWith('/') ? '' : ' class="event"'} x="${round(width / 2)}" y="${baseline}">${escaped(row)}</text>`;
      });
      parts.push(
        `<g class="label" transform="translate(${round(x)} ${round(y)})"><rect width="${round(width)}" height="${round(height)}"/>${rows.join('')}</g>`,
      );
    }
  }
  parts.push('</g>');
  return parts;
}

/** A route with corners that are a little round. */
function rounded(points) {
  const parts = [`M${round(points[0].x)} ${round(points[0].y)}`];
  for (const [index, point] of points.entries()) {
    if (index === 0) continue;
    const next = points[index + 1];
    if (!next) {
      parts.push(`L${round(point.x)} ${round(point.y)}`);
      continue;
    }
    const before = towards(point, points[index - 1]);
    const after = towards(point, next);
    parts.push(
      `L${round(before.x)} ${round(before.y)}Q${round(point.x)} ${round(point.y)} ${round(after.x)} ${round(after.y)}`,
    );
  }
  return parts.join('');
}

function towards(from, to) {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  const step = length === 0 ? 0 : Math.min(6, length / 2) / length;
  return { x: from.x + (to.x - from.x) * step, y: from.y + (to.y - from.y) * step };
}
