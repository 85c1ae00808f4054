/** Owns how the results of the benchmark of attacks are shown. */
import { short } from '../statistics.mjs';

/** By how much the slowest of a hundred messages may take longer than on an idle server. */
const GOAL = 3;

export function tables(rows) {
  const ms = (value) => (value == null || Number.isNaN(value) ? '-' : value.toFixed(value < 10 ? 2 : 0));
  const times = (one, other) => `${(one / other).toFixed(1)}x`;
  const mib = (bytes) => `${(bytes / 1_048_576).toFixed(0)}`;
  const felt = [
    [
      'attack',
      'events/s',
      'p50 idle',
      'p50',
      'p99 idle',
      'p99',
      'ratio',
      'p99 floor',
      'to floor',
      'connect p99',
      'lost',
      'goal',
    ],
    ...rows.map(({ name, idle, attacked, floor }) => {
      const { messages, connects, lost } = attacked.felt;
      const ratio = messages.p99 / idle.felt.messages.p99;
      return [
        name,
        short(attacked.events),
        ms(idle.felt.messages.p50),
        ms(messages.p50),
        ms(idle.felt.messages.p99),
        ms(messages.p99),
        times(messages.p99, idle.felt.messages.p99),
        ms(floor.felt.messages.p99),
        times(messages.p99, floor.felt.messages.p99),
        ms(connects.p99),
        String(lost),
        ratio <= GOAL ? 'reached' : 'missed',
      ];
    }),
  ];
  const cost = [
    ['attack', 'proxy CPU', 'idle', 'µs per event', 'other core', 'memory idle', 'peak MiB', 'what the server said'],
    ...rows.map(({ name, event, idle, attacked }) => {
      const each = attacked.events === 0 ? Number.NaN : ((attacked.cpu - idle.cpu) * 1e6) / attacked.events;
      const { refused, ended } = attacked.said;
      const said = Object.entries({ ...refused, ...ended }).map(([code, count]) => `${code} ${short(count)}`);
      return [
        name,
        `${(100 * attacked.cpu).toFixed(0)} %`,
        `${(100 * idle.cpu).toFixed(0)} %`,
        `${Number.isNaN(each) ? '-' : each.toFixed(2)} / ${event}`,
        `${(100 * attacked.otherBusy).toFixed(0)} %`,
        mib(idle.memory),
        mib(attacked.memory),
        said.join(', ') || 'nothing',
      ];
    }),
  ];
  return `What users feel, in milliseconds (goal: p99 at most ${GOAL}x of idle)\n\n${table(felt)}\n\nWhat it costs\n\n${table(cost)}`;
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])));
  return rows.map((row) => line(row).join('  ').trimEnd()).join('\n');
}
