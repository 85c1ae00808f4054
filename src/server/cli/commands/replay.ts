/** Owns `tidegate replay`: its flags, and how what came of it is told. */
import { Command, InvalidArgumentError } from 'commander';
import { describeError } from '../../../receivers/errors.js';
import { parseListenText } from '../../config/listen.js';
import { parseDuration } from '../../config/units.js';
import { readRecording } from '../../recording/read-recording.js';
import { printable } from '../../recording/show.js';
import type { ReplayOptions, ReplayReport } from '../../replay/play.js';
import { replayAsClient, replayAsTarget } from '../../replay/replay.js';
import { type CliIo, EXIT } from '../io.js';

interface Values {
  readonly target?: string;
  readonly listen?: { host?: string; port: number };
  readonly speed: number | 'max';
  readonly expect: boolean;
  readonly timeout: number;
  readonly header: Readonly<Record<string, string>>;
  readonly subprotocol?: readonly string[];
}

/** Makes the command that plays a recording. */
export function replayCommand(io: CliIo, finish: (code: number) => void): Command {
  return new Command('replay')
    .description('Plays a recording: as its client to a target, or as its target for a client.')
    .argument('<file>', 'The file of the recording.')
    .option('--target <url>', 'Plays the client: connects to ws://…, wss://… or tcp://host:port.')
    .option(
      '--listen <host:port>',
      'Plays the target, for the first client that comes. Port 0 takes any free one.',
      listen,
    )
    .option('--speed <factor>', 'How much faster than it was: 0.5, 2, or max.', speed, 1)
    .option('--expect', 'Compares what comes with what came then, and ends with the first difference.', false)
    .option('--timeout <duration>', 'How long something that came then is waited for. (default: 10s)', timeout, 10_000)
    .option('--header <name: value>', 'A header field of the handshake; may be repeated.', header, {})
    .option('--subprotocol <name...>', 'What is offered, in place of what was offered then.')
    .addHelpText(
      'after',
      `
Examples:
  tidegate replay FILE --target ws://127.0.0.1:3000/app --header "Authorization: Bearer $TOKEN"
  tidegate replay FILE --target ws://127.0.0.1:3000/app --speed max --expect
  tidegate replay FILE --listen 127.0.0.1:0

Exit codes: 0 played; 1 something else came than then (--expect), or it could not be played; 2 the command line is wrong.
`,
    )
    .action(async (file: string, values: Values) => {
      if ((values.target === undefined) === (values.listen === undefined)) {
        io.stderr.write('tidegate: expected either --target or --listen\n');
        finish(EXIT.misconfigured);
        return;
      }
      const ended = new AbortController();
      const end = () => ended.abort();
      const signals = io.signals ?? process;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.on(signal, end);
      try {
        const report = await replay(file, values, ended.signal, io);
        io.stdout.write(`${textOf(report)}\n`);
        finish(report.difference === undefined && !ended.signal.aborted ? EXIT.ok : EXIT.failed);
      } catch (error) {
        io.stderr.write(`tidegate: ${printable(describeError(error))}\n`);
        finish(EXIT.failed);
      } finally {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) signals.off(signal, end);
      }
    });
}

async function replay(file: string, values: Values, signal: AbortSignal, io: CliIo): Promise<ReplayReport> {
  const { target, listen: place, speed: factor, expect, timeout: within, header: headers, subprotocol } = values;
  const recording = await readRecording(file);
  const options: ReplayOptions = { speed: factor, expect, timeout: within, signal };
  if (target !== undefined) {
    return await replayAsClient(recording, { ...options, target, headers, subprotocols: subprotocol });
  }
  const { url, done } = await replayAsTarget(recording, { ...options, ...place });
  io.stdout.write(`ready: ${url}\n`);
  return await done;
}

function textOf(report: ReplayReport): string {
  const { sent, skipped, redacted, received, expected, difference, ended, durationMs } = report;
  const notes = [
    skipped > 0 ? `${skipped} not whole in the recording and left out` : '',
    redacted > 0 ? `${redacted} with something blotted out` : '',
  ].filter((note) => note !== '');
  const lines = [
    `sent ${sent} messages${notes.length > 0 ? ` (${notes.join(', ')})` : ''}, got ${received} of ${expected}, in ${durationMs} ms`,
  ];
  if (ended !== undefined) lines.push(`the other side ended: ${ended.code} ${ended.reason}`.trimEnd());
  if (difference !== undefined) {
    lines.push(
      `message ${difference.message}, ${difference.t} ms into the recording, is another one`,
      `  then: ${difference.expected}`,
      `  now:  ${difference.got}`,
    );
  }
  return lines.map(printable).join('\n');
}

function listen(text: string): { host?: string; port: number } {
  const place = parseListenText(text);
  if (place === undefined) throw new InvalidArgumentError("expected 'port', 'host:port' or '[v6]:port'");
  return place;
}

function speed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const factor = Number(text);
  if (!(factor > 0 && factor <= 1_000_000)) throw new InvalidArgumentError("expected a number above 0, or 'max'");
  return factor;
}

function timeout(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined || milliseconds === 0)
    throw new InvalidArgumentError("expected a duration such as '10s'");
  return milliseconds;
}

function header(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("expected 'Name: value'");
  return { ...before, [name]: value };
}
