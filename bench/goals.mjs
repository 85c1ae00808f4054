/** Owns the goals of the project, as ratios within one run, and whether a run reached them. */
import { percentilesOf } from './parts.mjs';
import { median, ratioOf, sizeName } from './statistics.mjs';

/** Round trips per CPU-second of `frames`, as a ratio to each peer, at 100 connections. */
const PEERS = ['nginx', 'nginx-64k', 'haproxy', 'haproxy-64k', 'caddy', 'http-proxy', 'httpxy', 'ws'];
const FRAMES = [
  { size: 125, window: 1, least: [0.65, 0.65, 0.75, 0.75, 0.9, 1.8, 1.8, 2.2] },
  { size: 125, window: 16, least: [0.65, 0.65, 0.75, 0.75, 0.85, 1.8, 1.8, 15] },
  { size: 1024, window: 16, least: [2.3, 0.85, 1.4, 0.85, 1.0, 2.0, 2.0, 12] },
  { size: 16_384, window: 16, least: [3.0, 1.0, 2.1, 1.15, 1.2, 1.6, 1.6, 3.5] },
  { size: 262_144, window: 16, least: [2.8, 0.95, 2.2, 1.2, 1.0, 1.8, 1.8, 2.4] },
];

const STREAM = [
  { size: 125, window: 1, least: 10 },
  { size: 125, window: 16, least: 25 },
  { size: 16_384, window: 1, least: 6 },
  { size: 16_384, window: 16, least: 6 },
];

const MESSAGES = [
  { size: 125, window: 1, least: 1.8 },
  { size: 125, window: 16, least: 8 },
  { size: 16_384, window: 1, least: 2 },
  { size: 16_384, window: 16, least: 2 },
];

const PORTABLE_OVER_HTTP_PROXY = 1.3;
const KIB = 1024;
const MIB = 1024 * 1024;
const SLOW_READER_MIB = 32;

/**
 * Every goal with what was measured; `value` is undefined where a run has no figure for it.
 *
 * @param {Record<string, object>} results by part
 */
export function judge(results) {
  return [
    ...ratioGoals(results),
    ...latencyGoals(results.latency),
    ...connectGoals(results.connects),
    ...idleGoals(results.idle),
    ...slowReaderGoals(results['slow-reader']),
  ];
}

function ratioGoals({ matrix, tcp }) {
  const at = (rows, { size, window }) =>
    rows?.find(({ scenario }) => scenario.size === size && scenario.window === window);
  const goal = (rows, one, other, scenario, least) =>
    atLeast(
      `${one} / ${other}, ${sizeName(scenario.size)} x${scenario.window}`,
      ratio(at(rows, scenario), one, other),
      least,
    );
  const everywhere = matrix?.rows?.map(({ scenario }) => scenario) ?? [];
  return [
    ...FRAMES.flatMap((scenario) =>
      PEERS.map((peer, index) => goal(matrix?.rows, 'frames', peer, scenario, scenario.least[index])),
    ),
    ...STREAM.map((scenario) => goal(tcp?.rows, 'stream', 'websockify', scenario, scenario.least)),
    ...MESSAGES.map((scenario) => goal(matrix?.rows, 'messages', 'ws', scenario, scenario.least)),
    ...everywhere.map((scenario) =>
      goal(matrix.rows, 'frames-portable', 'http-proxy', scenario, PORTABLE_OVER_HTTP_PROXY),
    ),
  ];
}

/** What the proxy adds to the way without one. */
function latencyGoals(latency) {
  const added = (name) => {
    const samples = latency?.rows?.[0].cells[name]?.samples ?? [];
    return samples.length === 0 ? undefined : percentilesOf(samples).p99 - latency.direct.p99;
  };
  const [ours, theirs] = [added('frames'), added('haproxy')];
  // A machine that is busy with other things can make a difference negative; then it says nothing.
  const value = ours > 0 && theirs > 0 ? ours / theirs : undefined;
  return [atMost('added p99 at half load, frames / haproxy', value, 1.2)];
}

function connectGoals(connects) {
  const goal = (peer, least, what = '') =>
    atLeast(`connects, frames / ${peer}${what}`, ratio(connects?.rows?.[0], 'frames', peer), least);
  return [goal('http-proxy', 1.5), goal('ws', 2.5), goal('http-proxy', 4, ' (aim)')];
}

function idleGoals(idle) {
  const value = middle(idle?.rows?.[0].cells.frames, KIB);
  return [atMost('KiB for an idle pair, frames', value, 12), atMost('KiB for an idle pair, frames (aim)', value, 8)];
}

function slowReaderGoals(slow) {
  return ['frames', 'messages', 'stream'].flatMap((name) =>
    ['down', 'up'].map((way) => {
      const row = slow?.rows?.find(({ scenario }) => scenario.way === way);
      return atMost(`MiB grown by a slow reader, ${name} ${way}`, middle(row?.cells[name], MIB), SLOW_READER_MIB);
    }),
  );
}

function ratio(row, one, other) {
  const [ones, others] = [one, other].map((name) => row?.cells[name]?.samples.map(({ value }) => value) ?? []);
  return ones.length === 0 || others.length === 0 ? undefined : ratioOf(ones, others);
}

function middle(cell, unit) {
  const values = cell?.samples.map(({ value }) => value / unit) ?? [];
  return values.length === 0 ? undefined : median(values);
}

function atLeast(name, value, limit) {
  return { name, value, goal: `≥ ${limit}`, reached: value === undefined ? undefined : value >= limit };
}

function atMost(name, value, limit) {
  return { name, value, goal: `≤ ${limit}`, reached: value === undefined ? undefined : value <= limit };
}
