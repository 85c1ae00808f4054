/** Owns `tidegate run`: everything from a file, and what SIGHUP does about it. */
import { Command } from 'commander';
import { type LogConfig, logSchema } from '../../config/file-schema.js';
import { examineConfig, type LoadedConfig } from '../../config/load.js';
import { createLogger, type Logger } from '../../telemetry/logger.js';
import { changedOptions } from '../changed-options.js';
import { flagsOf, readFlags } from '../flags.js';
import { type CliIo, EXIT } from '../io.js';
import { reloadCertificates, serve } from '../serve.js';
import { validate } from './proxy.js';

const EXAMPLES = `
A flag wins over its environment variable, and both over the file.
SIGHUP reads certificates again and uses them, reads the file again and logs what is wrong with it, or which changes
need a restart. Certificates are also read again when their files change.

Examples:
  tidegate run --config tidegate.yaml
  tidegate run --config tidegate.yaml --log-format json --log-level debug

  tidegate.yaml, with a VNC server for noVNC and a WebSocket application behind TLS:
    proxies:
      - name: vnc
        listen: 6080
        target: tcp://127.0.0.1:5900
      - name: app
        listen: { port: 8443, tls: { key: app.key, cert: app.pem } }
        target: ws://127.0.0.1:3000/socket
        limits: { maxMessageBytes: 1MiB }
    log: { format: json }
`;

/** Makes the command that runs a configuration file. */
export function runCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('run')
    .description('Runs everything a configuration file names.')
    .requiredOption('--config <file>', 'The file, YAML or JSON.')
    .addHelpText('after', EXAMPLES);
  for (const option of flagsOf(logSchema)) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const { config, problems } = await examineConfig(String(values.config));
    const isLogValid = validate(logSchema, values, io) !== undefined;
    for (const { message } of problems) io.stderr.write(`${message}\n`);
    if (config === undefined || !isLogValid) {
      finish(EXIT.misconfigured);
      return;
    }
    const given = readFlags(logSchema, values, io.env).input as Partial<LogConfig>;
    const logger = createLogger({ ...config.log, ...given, destination: io.stdout });
    const { createProxy } = await import('../create-proxy.js');
    const servers = config.proxies.map(({ name, ...options }, index) =>
      createProxy(options, logger.child({ proxy: name ?? `proxies[${index}]` })),
    );
    const reload = () => {
      reloadCertificates(servers, logger);
      return reloadConfig(config, logger);
    };
    finish(await serve({ servers, logger, signals: io.signals ?? process, reload }));
  });
}

/** Reads the file again and logs what a restart would change. What runs stays as it is. */
async function reloadConfig(running: LoadedConfig, logger: Logger): Promise<void> {
  const { config, problems } = await examineConfig(running.file);
  if (config === undefined) {
    const messages = problems.map(({ message }) => message);
    logger.error({ event: 'reload', result: 'invalid', problems: messages }, `not reloaded: ${messages.join('; ')}`);
    return;
  }
  const changed = changedOptions(running, config);
  if (changed.length === 0) {
    logger.info({ event: 'reload', result: 'unchanged' }, 'SIGHUP: the file is valid and unchanged');
    return;
  }
  const message = `restart needed for: ${changed.join(', ')}`;
  logger.warn({ event: 'reload', result: 'restart needed', changed }, message);
}
