/** Owns `tidegate demo`: its flags. What it shows is in the folder `demo`. */
import { Command } from 'commander';
import { logSchema } from '../../config/file-schema.js';
import { parseListenText } from '../../config/listen.js';
import { createLogger } from '../../telemetry/logger.js';
import { flagsOf } from '../flags.js';
import { type CliIo, EXIT } from '../io.js';
import { serve } from '../serve.js';
import { logServerEvents } from '../server-log.js';
import { validate } from '../validate.js';

const DEFAULT_LISTEN = '127.0.0.1:8080';

/** Makes the command that shows a proxy at work with nothing else installed. */
export function demoCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('demo')
    .description('Starts two echo servers and a proxy before each, and says what to try.')
    .option(
      '--listen <host:port>',
      `The address of the first proxy; the second takes the next port, and a free one stands in for a taken one. (default: ${DEFAULT_LISTEN})`,
    )
    .addHelpText('after', '\nExamples:\n  tidegate demo\n  tidegate demo --listen 127.0.0.1:9000 --log-level warn\n');
  for (const option of flagsOf(logSchema)) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const text = String(values.listen ?? DEFAULT_LISTEN);
    const listen = parseListenText(text);
    const log = validate(logSchema, values, io);
    if (listen === undefined) {
      io.stderr.write(`tidegate: --listen: got ${JSON.stringify(text)}; expected 'port', 'host:port' or '[v6]:port'\n`);
    }
    if (listen === undefined || log === undefined) {
      finish(EXIT.misconfigured);
      return;
    }
    const logger = createLogger({ ...log, destination: io.stdout });
    // The servers are loaded only here: other commands answer sooner without them.
    const { prepareDemo } = await import('../../demo/prepare-demo.js');
    const demo = await prepareDemo(listen, logger);
    for (const [name, proxy] of demo.proxies) logServerEvents(proxy, logger.child({ proxy: name }));
    const reload = () => logger.warn({ event: 'reload', result: 'nothing to reload' }, 'SIGHUP: the demo has no file');
    const ready = (addresses: readonly string[]) => void io.stdout.write(demo.describe(addresses));
    const servers = [...demo.proxies.values()];
    finish(await serve({ servers, logger, signals: io.signals ?? process, reload, ready }));
    await demo.stop();
  });
}
