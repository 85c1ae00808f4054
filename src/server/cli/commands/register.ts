/** Owns `tidegate register`: the registration of a backend that cannot register itself. */
import { Command } from 'commander';
import { logSchema } from '../../config/log.js';
import { sidecarSchema } from '../../config/sidecar.js';
import { createLogger } from '../../telemetry/logger.js';
import { flagsOf } from '../flags.js';
import { type CliIo, EXIT } from '../io.js';
import { serve } from '../serve.js';
import { validate } from '../validate.js';

const EXAMPLES = `
Stands beside a server in any language, registers it with one load balancer or several, and comes back to one that was
away. On SIGTERM or SIGINT it leaves, so that no new clients are sent, and ends with 0. It ends with 1 when every balancer
refused the backend for good.
A token belongs into TIDEGATE_TOKEN: everybody on a machine can read its command lines.

Examples:
  TIDEGATE_TOKEN=... tidegate register --balancer ws://lb:8080/.tidegate/control --advertise ws://10.0.0.7:9000
      a backend at 10.0.0.7:9000
  tidegate register --balancer wss://lb:8443 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key --advertise ws://10.0.0.7:9000
      the same, known by a client certificate
  tidegate register --balancer ws://lb:8080/control --advertise ws://10.0.0.7:9000 --check 127.0.0.1:9000
      gets clients only while something listens on port 9000
`;

const GROUPS = { check: 'Checking the backend:', reconnect: 'Coming back:', tls: 'TLS to the balancer:' };

/** Makes the command that registers a backend in another process. */
export function registerCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('register')
    .description('Registers a server with load balancers, as a backend of theirs.')
    .usage('--balancer <url> --advertise <url> [options]')
    .addHelpText('after', EXAMPLES);
  for (const option of [...flagsOf(sidecarSchema, GROUPS), ...flagsOf(logSchema)]) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const options = validate(sidecarSchema, values, io);
    const log = validate(logSchema, values, io);
    if (options === undefined || log === undefined) {
      io.stderr.write('(tidegate register --help shows every option)\n');
      finish(EXIT.misconfigured);
      return;
    }
    const logger = createLogger({ ...log, destination: io.stdout });
    const { Sidecar } = await import('../sidecar.js');
    const sidecar = new Sidecar(options, logger);
    const reload = () => {
      logger.warn({ event: 'reload', result: 'nothing to reload' }, 'there is no file to read again');
      return { certificates: [] };
    };
    const readyText = `registering ${sidecar.agent.id} with ${options.balancer.join(', ')}`;
    const { over } = sidecar;
    finish(await serve({ servers: [sidecar], logger, signals: io.signals ?? process, reload, readyText, over }));
  });
}
