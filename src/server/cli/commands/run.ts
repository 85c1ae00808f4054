/** Owns `tidegate run`: everything from a file, and what SIGHUP does about it. */
import { Command } from 'commander';
import { adminSchema } from '../../config/file-schema.js';
import { examineConfig } from '../../config/load.js';
import { logSchema } from '../../config/log.js';
import type { Inspection } from '../../inspection/inspect.js';
import { createLogger } from '../../telemetry/logger.js';
import { flagsOf, readFlags } from '../flags.js';
import { beginInspecting, inspectFlags, readInspect } from '../inspect-flag.js';
import { type CliIo, EXIT } from '../io.js';
import { ReloadedConfig } from '../reload-config.js';
import { reloadCertificates, serve } from '../serve.js';
import { validate } from '../validate.js';

const EXAMPLES = `
A flag wins over its environment variable, and both over the file.
--admin is for all servers of the file together, in place of its admin at the top.
SIGHUP reads certificates again and uses them, reads the file again, adds, updates and removes backends of balancers as it
says, and logs what is wrong with it, or which other changes need a restart. Certificates are also read again when their
files change.

Examples:
  tidegate run --config tidegate.yaml
  tidegate run --config tidegate.yaml --log-format json --log-level debug
  TIDEGATE_ADMIN_TOKEN=… tidegate run --config tidegate.yaml --admin 9090

  tidegate.yaml, with a VNC server for noVNC and a WebSocket application behind TLS:
    proxies:
      - name: vnc
        listen: 6080
        target: tcp://127.0.0.1:5900
      - name: app
        listen: { port: 8443, tls: { key: app.key, cert: app.pem } }
        target: ws://127.0.0.1:3000/socket
        limits: { maxMessageBytes: 1MiB }
    balancers:
      - name: chat
        listen: 8081
        backends: [ws://10.0.0.1:3000, { url: ws://10.0.0.2:3000, weight: 2 }]
    log: { format: json }
`;

/** Makes the command that runs a configuration file. */
export function runCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('run')
    .description('Runs everything a configuration file names.')
    .requiredOption('--config <file>', 'The file, YAML or JSON.')
    .addHelpText('after', EXAMPLES);
  for (const option of [...flagsOf(adminSchema), ...flagsOf(logSchema), ...inspectFlags()]) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const { config, problems } = await examineConfig(String(values.config));
    const isLogValid = validate(logSchema, values, io) !== undefined;
    const options = config === undefined ? undefined : validate(adminSchema, values, io, { admin: config.admin });
    for (const { message } of problems) io.stderr.write(`${message}\n`);
    const listening = [...(config?.proxies ?? []), ...(config?.balancers ?? [])].flatMap(({ listen }) => listen);
    const shown = readInspect(values, io, listening);
    if (config === undefined || options === undefined || !isLogValid || shown === 'wrong') {
      finish(EXIT.misconfigured);
      return;
    }
    // A flag that is left out is as the file has it, and not as its default.
    const log = logSchema.parse({ ...config.log, ...readFlags(logSchema, values, io.env).input });
    const logger = createLogger({ ...log, destination: io.stdout });
    const { createAdmin, createBalancer, createProxy } = await import('../create-server.js');
    const proxies = config.proxies.map(({ name, ...options }, index) =>
      createProxy(options, logger.child({ proxy: name ?? `proxies[${index}]` }), log),
    );
    const balancers = config.balancers.map(({ name, ...options }, index) => {
      const own = logger.child({ balancer: name ?? `balancers[${index}]` });
      return { server: createBalancer(options, own, log), logger: own };
    });
    const servers = [...proxies, ...balancers.map(({ server }) => server)];
    const names = [
      ...config.proxies.map(({ name }, index) => name ?? `proxies[${index}]`),
      ...config.balancers.map(({ name }, index) => name ?? `balancers[${index}]`),
    ];
    const named = new Map(servers.map((server, index) => [names[index]!, server]));
    const admin = createAdmin(options.admin, named, logger);
    const file = new ReloadedConfig(config, balancers, logger);
    const reload = async () => ({ certificates: reloadCertificates(servers, logger), file: await file.reload() });
    let inspection: Promise<Inspection | undefined> | undefined;
    const ready = () => {
      inspection = beginInspecting(shown, Object.fromEntries(named), logger);
    };
    finish(await serve({ servers, admin, logger, signals: io.signals ?? process, reload, ready }));
    await (await inspection)?.stop();
  });
}
