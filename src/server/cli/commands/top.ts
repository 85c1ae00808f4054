/** Owns `tidegate top`: its flags, and whether it is a view or one table. */
import { setTimeout as wait } from 'node:timers/promises';
import { Command } from 'commander';
import { parseDuration } from '../../config/units.js';
import { AdminClient } from '../admin/admin-client.js';
import { addAdminFlags, readAdminFlags } from '../admin/admin-flags.js';
import { reportProblem } from '../admin/report-problem.js';
import { type CliIo, EXIT } from '../io.js';
import type { TerminalStreams } from '../top/terminal.js';
import { topLines } from '../top/top-frame.js';
import { SORTS, TopSampler, type TopSort } from '../top/top-sample.js';
import { TopView } from '../top/top-view.js';

const EXAMPLES = `
On a terminal it goes on until q; elsewhere, and with --once, it looks twice, an interval apart, and writes one table.
IN and OUT are bytes a second since the look before; the order is by what the connections have carried in all.

Keys: q quit; up, down and return explain a connection; left, right or b, m, f, r, n change the order: bytes, messages,
buffered, round trip, newest.

Examples:
  tidegate top
  tidegate top --sort bufferedBytes --interval 1s
  tidegate top --once --limit 10 --admin http://10.0.0.5:9090

Exit codes: 0 somebody has seen enough; 1 there was no answer; 2 the command line is wrong.
`;

const MIN_INTERVAL = 100;
const MAX_INTERVAL = 3_600_000;
const WIDE = 160;

/** Makes the command that shows the busiest and the slowest connections of a running server. */
export function topCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('top')
    .description('Shows the busiest and the slowest connections of a running server.')
    .option('--sort <key>', `What they are ordered by: ${SORTS.join(', ')}. (default: bytes)`)
    .option('--interval <duration>', 'Time between two looks. (default: 2s)')
    .option('--limit <number>', 'How many connections a table has. (default: 20)')
    .option('--once', 'Writes one table, also on a terminal.')
    .addHelpText('after', EXAMPLES);
  return addAdminFlags(command).action(async (values: Record<string, unknown>) => {
    const target = readAdminFlags(values, io);
    const options = readOptions(values, io);
    if (target === undefined || options === undefined) {
      finish(EXIT.misconfigured);
      return;
    }
    const client = new AdminClient(target);
    const streams = values.once === true ? undefined : terminalOf(io);
    try {
      if (streams === undefined) await writeTable(client, options, io);
      else await new TopView({ ...options, client, streams, signals: io.signals ?? process }).run();
      finish(EXIT.ok);
    } catch (error) {
      finish(reportProblem(error, io));
    }
  });
}

interface Options {
  readonly sort: TopSort;
  readonly interval: number;
  readonly limit: number;
}

function readOptions({ sort = 'bytes', interval = '2s', limit = '20' }: Record<string, unknown>, { stderr }: CliIo) {
  const options = { sort: sort as TopSort, interval: parseDuration(interval) ?? 0, limit: Number(limit) };
  const problems: string[] = [];
  const wrong = (flag: string, value: unknown, expected: string) =>
    problems.push(`tidegate: --${flag}: got ${JSON.stringify(value)}; expected ${expected}\n`);
  if (!SORTS.includes(options.sort)) wrong('sort', sort, `one of ${SORTS.join(', ')}`);
  if (options.interval < MIN_INTERVAL || options.interval > MAX_INTERVAL) {
    wrong('interval', interval, "a duration from 100ms to 1h, such as '2s'");
  }
  if (!Number.isInteger(options.limit) || options.limit < 1 || options.limit > 1000) {
    wrong('limit', limit, 'a whole number from 1 to 1000');
  }
  for (const problem of problems) stderr.write(problem);
  return problems.length === 0 ? (options satisfies Options) : undefined;
}

/** Both ends have to be a terminal: keys come from one, and the other is drawn on. */
function terminalOf({ stdout, terminal }: CliIo): TerminalStreams | undefined {
  if (terminal !== undefined) return terminal;
  const { stdin: input, stdout: output } = process;
  return stdout === output && output.isTTY && input.isTTY ? { input, output } : undefined;
}

async function writeTable(client: AdminClient, { sort, interval, limit }: Options, { stdout }: CliIo): Promise<void> {
  const sampler = new TopSampler(client);
  await sampler.look(sort, limit);
  await wait(interval);
  const sample = await sampler.look(sort, limit);
  const { columns = WIDE } = stdout as { columns?: number };
  stdout.write(`${topLines({ sample, url: client.url, sort }, columns).join('\n')}\n`);
}
