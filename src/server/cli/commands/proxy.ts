/** Owns `tidegate proxy`: one proxy from flags and environment. */
import { Command } from 'commander';
import type { z } from 'zod';
import { cliProxySchema, logSchema } from '../../config/file-schema.js';
import { findProblems } from '../../config/problems.js';
import { createLogger } from '../../telemetry/logger.js';
import { flagsOf, formatFlagProblem, readFlags } from '../flags.js';
import { type CliIo, EXIT } from '../io.js';
import { reloadCertificates, serve } from '../serve.js';

const EXAMPLES = `
Durations are milliseconds or 500ms, 30s, 5m, 1h, 1d. Sizes are bytes or 64KiB, 1MiB, 16MB.
A flag wins over its environment variable. The flags for TLS are for every --listen; for plain and TLS at once, or several
proxies, use a file: tidegate run --help

Examples:
  tidegate proxy --listen 6080 --target tcp://127.0.0.1:5900
      a VNC server for noVNC in a browser, on every interface
  tidegate proxy --listen 127.0.0.1:8081 --target tcp://127.0.0.1:6379 --max-connections 100
      Redis over WebSocket, for this machine only
  tidegate proxy --listen 8080 --listen [::1]:8081 --target ws://127.0.0.1:3000/socket --idle-timeout 10m
      before a WebSocket application; silent clients are sent away after ten minutes
  tidegate proxy --listen 8443 --tls-cert app.pem --tls-key app.key --target ws://127.0.0.1:3000
      with TLS; a renewed certificate is taken when its files change, and on SIGHUP
  TIDEGATE_TARGET=wss://example.org/ tidegate proxy --log-format json
      settings from the environment, log lines for a machine
`;

/** Makes the command that runs one proxy from flags. */
export function proxyCommand(io: CliIo, finish: (code: number) => void): Command {
  const command = new Command('proxy')
    .description('Accepts WebSocket connections and forwards each to a target.')
    .usage('--target <url> [options]')
    .addHelpText('after', EXAMPLES);
  for (const option of [...flagsOf(cliProxySchema), ...flagsOf(logSchema)]) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const options = validate(cliProxySchema, values, io);
    const log = validate(logSchema, values, io);
    if (options === undefined || log === undefined) {
      io.stderr.write('(tidegate proxy --help shows every option)\n');
      finish(EXIT.misconfigured);
      return;
    }
    const logger = createLogger({ ...log, destination: io.stdout });
    const { createProxy } = await import('../create-proxy.js');
    const reload = () => {
      if (reloadCertificates(servers, logger) > 0) return;
      const message = 'SIGHUP: there is no file to read again; use tidegate run --config';
      logger.warn({ event: 'reload', result: 'nothing to reload' }, message);
    };
    const servers = [createProxy(options, logger)];
    finish(await serve({ servers, logger, signals: io.signals ?? process, reload }));
  });
}

/** Validates flags and environment; writes every problem and answers undefined when there is one. */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  values: Readonly<Record<string, unknown>>,
  io: CliIo,
): z.output<Schema> | undefined {
  const given = readFlags(schema, values, io.env);
  const { value, problems } = findProblems(schema, given.input);
  for (const problem of problems) io.stderr.write(`tidegate: ${formatFlagProblem(problem, given, schema)}\n`);
  return value;
}
