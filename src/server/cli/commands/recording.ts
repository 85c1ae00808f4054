/** Owns `tidegate recording` and its commands. Refuses to know what a recording looks like. */
import { Command } from 'commander';
import { describeError } from '../../../receivers/errors.js';
import { toHar } from '../../recording/har.js';
import { type Recording, readRecording } from '../../recording/read-recording.js';
import { replayChart } from '../../recording/replay-chart.js';
import { printable, showRecording } from '../../recording/show.js';
import { type CliIo, EXIT } from '../io.js';

/** Makes the command that shows recordings. */
export function recordingCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('recording').description('Shows what is in a file of a recording.').addHelpText(
    'after',
    `
Examples:
  tidegate recording show recordings/20261121T234205123Z-conn-1-3f9a2c.1.tidegate.ndjson
  tidegate recording har FILE > connection.har
  tidegate recording rerun FILE

Exit codes: 0 done; 1 the file is no recording, or its charts run to other states.
`,
  );
  const reads = (name: string, description: string, show: (recording: Recording) => number) =>
    command
      .command(name)
      .description(description)
      .argument('<file>', 'The file.')
      .action(async (file: string) => {
        try {
          finish(show(await readRecording(file)));
        } catch (error) {
          io.stderr.write(`tidegate: ${printable(describeError(error))}\n`);
          finish(EXIT.failed);
        }
      });
  reads('show', 'Prints a recording for people to read.', (recording) => {
    for (const line of showRecording(recording)) io.stdout.write(`${line}\n`);
    return EXIT.ok;
  });
  reads('har', 'Prints a recording as HAR 1.2, for the developer tools of browsers.', (recording) => {
    io.stdout.write(`${JSON.stringify(toHar(recording), null, 2)}\n`);
    return EXIT.ok;
  });
  reads(
    'rerun',
    'Runs the charts of a recording again, and says whether they come to the same states.',
    (recording) => {
      const { steps, identical, lost } = replayChart(recording);
      for (const { t, side, event, recorded, value, same } of steps) {
        if (same) continue;
        const line = `${t} ms: ${side}, ${event.type}: recorded ${JSON.stringify(recorded)}, now ${JSON.stringify(value)}`;
        io.stdout.write(`${printable(line)}\n`);
      }
      const verdict = identical ? 'every one to the same state' : lost > 0 ? `${lost} more were lost` : 'not the same';
      io.stdout.write(`${steps.length} steps run again, ${verdict}\n`);
      return identical ? EXIT.ok : EXIT.failed;
    },
  );
  return command;
}
