/** Owns what the commands that run one server from flags have in common. Refuses to know which servers there are. */
import { Command } from 'commander';
import type { z } from 'zod';
import type { Administered } from '../../admin/administration.js';
import type { ListenConfig } from '../../config/listen.js';
import { type LogConfig, logSchema } from '../../config/log.js';
import type { Inspection } from '../../inspection/inspect.js';
import { createLogger, type Logger } from '../../telemetry/logger.js';
import { flagsOf } from '../flags.js';
import { beginInspecting, inspectFlags, readInspect } from '../inspect-flag.js';
import { type CliIo, EXIT } from '../io.js';
import { reloadCertificates, type Servable, serve } from '../serve.js';
import { validate } from '../validate.js';

/** A command that runs one server. */
export interface ServingCommand<Schema extends z.ZodType<{ readonly listen: readonly ListenConfig[] }>> {
  readonly name: string;
  readonly description: string;
  readonly usage: string;
  /** What stands behind the options in the help. */
  readonly examples: string;
  readonly schema: Schema;
  create(options: z.output<Schema>, logger: Logger, lines: LogConfig): Promise<Servable & Administered>;
}

/** Makes a command that runs one server from flags and environment. */
export function servingCommand<Schema extends z.ZodType<{ readonly listen: readonly ListenConfig[] }>>(
  { name, description, usage, examples, schema, create }: ServingCommand<Schema>,
  io: CliIo,
  finish: (code: number) => void,
): Command {
  const command = new Command(name).description(description).usage(usage).addHelpText('after', examples);
  for (const option of [...flagsOf(schema), ...flagsOf(logSchema), ...inspectFlags()]) command.addOption(option);
  return command.action(async (values: Record<string, unknown>) => {
    const options = validate(schema, values, io);
    const log = validate(logSchema, values, io);
    const shown = readInspect(values, io, options?.listen);
    if (options === undefined || log === undefined || shown === 'wrong') {
      io.stderr.write(`(tidegate ${name} --help shows every option)\n`);
      finish(EXIT.misconfigured);
      return;
    }
    const logger = createLogger({ ...log, destination: io.stdout });
    const server = await create(options, logger, log);
    const servers = [server];
    const reload = () => {
      const certificates = reloadCertificates(servers, logger);
      if (certificates.length === 0) {
        const message = 'there is no file to read again; use tidegate run --config';
        logger.warn({ event: 'reload', result: 'nothing to reload' }, message);
      }
      return { certificates };
    };
    let inspection: Promise<Inspection | undefined> | undefined;
    const ready = () => {
      inspection = beginInspecting(shown, server, logger);
    };
    finish(await serve({ servers, logger, signals: io.signals ?? process, reload, ready }));
    await (await inspection)?.stop();
  });
}
