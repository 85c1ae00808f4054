/**
 * Owns where everything of a picture goes: sizes from the text, places and routes from ELK, one level of a chart at a
 * time. Refuses to know colours and markup.
 */
import ELK from 'elkjs/lib/elk.bundled.js';

/** Measures that the drawing shares, in pixels. The width of a character is that of the usual monospaced fonts, rounded up. */
export const METRICS = { character: 7.3, title: 9.6, line: 16, head: 26, pad: 12 };

const elk = new ELK();

/** The height of a line of text; an empty one is only a gap. */
export function lineHeight(text) {
  return text === '' ? METRICS.line / 2 : METRICS.line;
}

const widest = (lines, width) => Math.max(0, ...lines.map((line) => line.length * width));

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.padding': '[top=14,left=14,bottom=14,right=14]',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.spacing.edgeLabel': '4',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.layered.nodePlacement.favorStraightEdges': 'true',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  // The order of the source is the order of reading: edges back to an earlier state are the ones that go back.
  'elk.layered.cycleBreaking.strategy': 'MODEL_ORDER',
  'elk.separateConnectedComponents': 'false',
};

/**
 * Lays out a chart. Every placed state holds its place inside its parent, its children and the routes between them.
 *
 * @param {import('./read-chart.mjs').State} chart
 */
export async function layOut(chart) {
  return place(chart, 'DOWN');
}

async function place(state, direction) {
  const headWidth =
    Math.max(state.name.length * METRICS.title, widest(state.does, METRICS.character)) + 2 * METRICS.pad;
  const headHeight = METRICS.head + state.does.length * METRICS.line + (state.does.length > 0 ? 6 : 0);
  const inner =
    state.children.length === 0
      ? { width: 0, height: 0, children: [], routes: [] }
      : state.kind === 'parallel'
        ? await stack(state.children)
        : await arrange(state, direction);
  return {
    ...state,
    headHeight,
    x: 0,
    y: 0,
    width: Math.ceil(Math.max(headWidth, inner.width)),
    height: Math.ceil(headHeight + inner.height + (state.children.length === 0 ? 4 : 0)),
    children: inner.children.map((child) => ({ ...child, y: child.y + headHeight })),
    routes: inner.routes,
    initialAt: inner.initialAt,
  };
}

/** Regions one under the other, all of the same width: a parallel state reads from top to bottom. */
async function stack(regions) {
  const placed = await Promise.all(regions.map((region) => place(region, 'RIGHT')));
  const width = Math.max(...placed.map((region) => region.width));
  let y = 0;
  const children = placed.map((region) => {
    const child = { ...region, x: 0, y, width };
    y += region.height;
    return child;
  });
  return { width, height: y, children, routes: [] };
}

async function arrange(state, direction) {
  const placed = await Promise.all(state.children.map((child) => place(child, 'RIGHT')));
  const start = `${state.id}.start`;
  const graph = await elk.layout({
    id: state.id,
    layoutOptions: { ...OPTIONS, 'elk.direction': direction },
    children: [
      { id: start, width: 12, height: 12, layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' } },
      ...placed.map(({ id, width, height }) => ({ id, width, height })),
    ],
    edges: [
      { id: `${state.id}.begin`, sources: [start], targets: [state.initial], labels: [] },
      ...state.edges.map(({ source, target, lines }, index) => ({
        id: `${state.id}.${index}`,
        sources: [source],
        targets: [target],
        labels: [
          {
            text: lines.join('\n'),
            width: widest(lines, METRICS.character) + 8,
            height: lines.reduce((sum, one) => sum + lineHeight(one), 4),
            // On the line and not beside it: a label cannot be taken for that of a neighbour.
            layoutOptions: { 'elk.edgeLabels.inline': 'true', 'elk.edgeLabels.placement': 'CENTER' },
          },
        ],
      })),
    ],
  });
  const at = new Map(graph.children.map((child) => [child.id, child]));
  return {
    width: graph.width,
    height: graph.height,
    initialAt: at.get(start),
    children: placed.map((child) => ({ ...child, x: at.get(child.id).x, y: at.get(child.id).y })),
    routes: graph.edges.map(({ sections, labels = [], sources, targets }) => ({
      source: sources[0],
      target: targets[0],
      points: sections.flatMap(({ startPoint, bendPoints = [], endPoint }) =>
        straightened([startPoint, ...bendPoints, endPoint]),
      ),
      labels,
    })),
  };
}

/** Takes out a first bend that is only a jog of a few pixels: the route leaves its state a little further along. */
function straightened(points) {
  const [start, bend, next] = points;
  if (points.length < 4 || Math.hypot(next.x - bend.x, next.y - bend.y) > 6) return points;
  const from = start.x === bend.x ? { x: next.x, y: start.y } : { x: start.x, y: next.y };
  return [from, ...points.slice(3)];
}
