/** Owns `tidegate demo`: its flags. What it shows is in the folder `demo`. */
import { Command } from 'commander';
import { adminSchema } from '../../config/file-schema.js';
import { parseListenText } from '../../config/listen.js';
import { logSchema } from '../../config/log.js';
import type { Inspection } from '../../inspection/inspect.js';
import { createLogger } from '../../telemetry/logger.js';
import { flagsOf } from '../flags.js';
import { beginInspecting, inspectFlags, readInspect } from '../inspect-flag.js';
import { type CliIo, EXIT } from '../io.js';
import { serve } from '../serve.js';
import { logServerEvents } from '../server-log.js';
import { validate } from '../validate.js';

const DEFAULT_LISTEN = '127.0.0.1:8080';
const DEFAULT_ADMIN = '127.0.0.1:9090';

/** Makes the command that shows a proxy at work with nothing else installed. */
export function demoCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('demo')
    .description('Starts two echo servers and a proxy before each, and says what to try.')
    .option(
      '--listen <host:port>',
      `The address of the first proxy; the second takes the next port, and a free one stands in for a taken one. (default: ${DEFAULT_LISTEN})`,
    )
    .option(
      '--admin <host:port>',
      `Where the admin API of both proxies listens; a free port stands in for a taken one. (default: ${DEFAULT_ADMIN}; env: TIDEGATE_ADMIN)`,
    )
    .option('--admin-token <secret>', 'What has to be shown to it. (default: none; env: TIDEGATE_ADMIN_TOKEN)')
    .addHelpText('after', '\nExamples:\n  tidegate demo\n  tidegate demo --listen 127.0.0.1:9000 --log-level warn\n');
  for (const option of [...flagsOf(logSchema), ...inspectFlags()]) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const text = String(values.listen ?? DEFAULT_LISTEN);
    const listen = parseListenText(text);
    const log = validate(logSchema, values, io);
    const shown = readInspect(values, io);
    const options = validate(adminSchema, values, io, { admin: { listen: DEFAULT_ADMIN } });
    if (listen === undefined) {
      io.stderr.write(`tidegate: --listen: got ${JSON.stringify(text)}; expected 'port', 'host:port' or '[v6]:port'\n`);
    }
    if (listen === undefined || log === undefined || options === undefined || shown === 'wrong') {
      finish(EXIT.misconfigured);
      return;
    }
    const logger = createLogger({ ...log, destination: io.stdout });
    // The servers are loaded only here: other commands answer sooner without them.
    const { prepareDemo } = await import('../../demo/prepare-demo.js');
    const demo = await prepareDemo(listen, options.admin, logger);
    for (const [name, proxy] of demo.proxies) logServerEvents(proxy, logger.child({ proxy: name }), log);
    const reload = () => {
      logger.warn({ event: 'reload', result: 'nothing to reload' }, 'the demo has no file to read again');
      return { certificates: [] };
    };
    let inspection: Promise<Inspection | undefined> | undefined;
    const ready = (addresses: readonly string[]) => {
      io.stdout.write(demo.describe(addresses));
      inspection = beginInspecting(shown, Object.fromEntries(demo.proxies), logger);
    };
    const servers = [...demo.proxies.values()];
    const { admin } = demo;
    finish(await serve({ servers, admin, logger, signals: io.signals ?? process, reload, ready }));
    await (await inspection)?.stop();
    await demo.stop();
  });
}
