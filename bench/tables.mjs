/** Owns how results become tables: one row for each proxy, one column for each scenario. */
import { percentilesOf } from './parts.mjs';
import { median, ratioOf, short, sizeName } from './statistics.mjs';

const MIB = 1024 * 1024;
const NO_FIGURE = '–';

const NOTES = {
  ratio: 'In brackets: how many times that of the reference, the median of the ratios within each round.',
  bound:
    '° The load generator was busy above 95 % and the proxy was not: a faster load would have filled more into each read.',
};

/** What is said above the table of each part. */
const PARTS = {
  matrix: { title: 'WebSocket to WebSocket', about: 'Round trips per CPU-second of the proxy, 100 connections.' },
  scale: { title: 'Few and many connections', about: 'Round trips per CPU-second of the proxy.' },
  tcp: {
    title: 'WebSocket to TCP',
    about:
      'Round trips per CPU-second of the proxy, 100 connections. `nginx-stream-tcp` carries TCP to TCP: the floor.',
  },
  flood: {
    title: 'One-way floods',
    about: 'Messages per CPU-second of the proxy, 100 connections; up is from the clients to the targets.',
  },
  latency: { title: 'Latency' },
  connects: {
    title: 'Connects',
    about: 'Connect, upgrade, one message there and back, close, per CPU-second of the proxy; 50 at a time.',
  },
  idle: { title: 'Memory of idle connections' },
  'slow-reader': { title: 'A reader that stops' },
  tls: {
    title: 'TLS on the client side',
    about: 'Round trips per CPU-second of the proxy, 100 connections, TLS 1.3 with AES-128-GCM.',
  },
  options: {
    title: 'Hooks and options',
    about:
      'Round trips per CPU-second of the proxy, 100 connections. `messages` shows every message to a callback; `frames-on` has every limit, deadline and a heartbeat each second, `frames-off` none of them.',
  },
};

/**
 * A part as `{ title, lines, header, rows, notes }`, all text.
 *
 * @param {string} name
 * @param {object} result
 */
export function tableOf(name, result) {
  const { title, about } = PARTS[name];
  if (result.skipped !== undefined)
    return { title, lines: [`Skipped: ${result.skipped}.`], header: [], rows: [], notes: [] };
  const table = { ...(special[name] ?? throughput)(result), title };
  return { ...table, lines: [...(about === undefined ? [] : [about]), ...(table.lines ?? [])] };
}

/** The names of all proxies in a part, in the order of the tables. */
export function namesOf({ rows }) {
  return [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
}

export function scenarioName({ connections, size, window, way, tls, slots, rate }) {
  const words = [
    connections === undefined || connections === 100 ? undefined : `${connections} conn.`,
    size === undefined ? undefined : sizeName(size),
    window === undefined ? undefined : `x${window}`,
    way,
    tls === undefined ? undefined : `TLS ${tls}`,
    slots === undefined ? undefined : 'connects',
    rate === undefined ? undefined : `${short(rate)}/s`,
  ];
  return words.filter((word) => word !== undefined).join(' ');
}

/** The medians of a cell, and its ratio to the reference. */
export function figuresOf({ cells }, name, reference) {
  const values = (of) => cells[of]?.samples.map(({ value }) => value) ?? [];
  const [ours, theirs] = [values(name), values(reference)];
  if (ours.length === 0) return undefined;
  return { value: median(ours), ratio: theirs.length === 0 ? undefined : ratioOf(ours, theirs) };
}

/** The kind that the part names, or the first that has figures. */
export function referenceOf(result) {
  const has = (name) => result.rows.some(({ cells }) => cells[name]?.samples.length > 0);
  return has(result.reference) ? result.reference : namesOf(result).find(has);
}

function throughput(result) {
  const reference = referenceOf(result);
  let bound = false;
  const cellOf = (row, name) => {
    const figures = figuresOf(row, name, reference);
    if (figures === undefined) return failure(row.cells[name]);
    const limited = isGeneratorBound(row.cells[name]);
    bound ||= limited;
    const ratio = figures.ratio === undefined ? '' : ` (${figures.ratio.toFixed(2)})`;
    return `${short(figures.value)}${limited ? '°' : ''}${ratio}`;
  };
  return {
    header: ['', ...result.rows.map(({ scenario }) => scenarioName(scenario))],
    rows: namesOf(result).map((name) => [name, ...saidOnce(result.rows.map((row) => cellOf(row, name)))]),
    notes: [`The reference is \`${reference}\`. ${NOTES.ratio}`, ...(bound ? [NOTES.bound] : [])],
  };
}

function isGeneratorBound({ samples }) {
  const busy = (name) => median(samples.map((sample) => sample[name] ?? 0));
  return busy('loadBusy') > 0.95 && busy('proxyBusy') <= 0.95;
}

/** A reason that fills a whole row is said in its first cell. */
function saidOnce(cells) {
  return cells.map((cell, index) =>
    cell.startsWith('failed: ') && cells.indexOf(cell) < index ? 'failed: the same' : cell,
  );
}

function failure(cell) {
  return cell?.failed === undefined ? NO_FIGURE : `failed: ${cell.failed}`;
}

const special = {
  latency(result) {
    const { cells } = result.rows[0];
    const microseconds = ({ p50, p99, p999 }) => [p50, p99, p999].map((value) => value.toFixed(0));
    const added = (percentiles) => (percentiles.p99 - result.direct.p99).toFixed(0);
    return {
      lines: [
        `Microseconds from when a message of 125 bytes was due until it was back, at ${short(result.rate)} messages a second over 100 connections for every proxy: half of what the slowest takes.`,
      ],
      header: ['', 'p50', 'p99', 'p99.9', 'added at p99'],
      rows: [
        ['no proxy', ...microseconds(result.direct), '0'],
        ...Object.entries(cells).map(([name, cell]) => {
          if (cell.samples.length === 0) return [name, failure(cell), '', '', ''];
          const percentiles = percentilesOf(cell.samples);
          return [name, ...microseconds(percentiles), added(percentiles)];
        }),
      ],
      notes: ['The generator does not sleep here, so its own CPU share says nothing.'],
    };
  },

  idle({ rows: [{ scenario, cells }], wanted }) {
    const fewer =
      scenario.connections < wanted ? ` (${wanted} were wanted, the limit of open files allows no more)` : '';
    return {
      lines: [
        `Resident memory per idle connection pair after one message each, ${scenario.connections} pairs${fewer}.`,
      ],
      header: ['', 'KiB per pair', 'pairs'],
      rows: Object.entries(cells).map(([name, cell]) =>
        cell.samples.length === 0
          ? [name, failure(cell), '']
          : [name, (cell.samples[0].value / 1024).toFixed(1), String(cell.samples[0].connections)],
      ),
      notes: ['What forked processes share counts for each of them.'],
    };
  },

  'slow-reader'({ rows, offered }) {
    const cellOf = (cell) =>
      cell === undefined || cell.samples.length === 0
        ? failure(cell)
        : `${(cell.samples[0].taken / MIB).toFixed(0)} MiB, +${(cell.samples[0].value / MIB).toFixed(1)} MiB`;
    return {
      lines: [
        `4 connections, messages of 64 KiB, ${(offered / 1e6).toFixed(0)} MB offered: what was taken from the sender, and how much the proxy grew. Down: the clients do not read; up: the targets do not.`,
        'What the buffers of the kernel hold is in the first figure.',
      ],
      header: ['', ...rows.map(({ scenario }) => scenario.way)],
      rows: namesOf({ rows }).map((name) => [name, ...rows.map(({ cells }) => cellOf(cells[name]))]),
      notes: [],
    };
  },
};
