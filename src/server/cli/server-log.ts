/** Owns which events of a server become log lines, and with which fields. Refuses to change what happens. */
import type { EventEmitter } from 'node:events';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { Logger } from '../telemetry/logger.js';

/** Logs each refused upgrade, each closed connection with its close report, and what went wrong. */
export function logServerEvents(server: EventEmitter, logger: Logger): void {
  server.on('connection', (...args: unknown[]) => {
    const { fields } = digest(args);
    logger.debug({ event: 'connection.opened', ...fields }, 'connection opened');
  });
  server.on('rejected', (...args: unknown[]) => {
    const { fields, error } = digest(args);
    logger.info({ event: 'upgrade.refused', ...fields, ...error }, 'upgrade refused');
  });
  server.on('disconnected', (...args: unknown[]) => {
    const { fields } = digest(args);
    logger.info({ event: 'connection.closed', ...fields }, 'connection closed');
  });
  for (const event of ['error', 'exception'] as const) {
    server.on(event, (...args: unknown[]) => {
      const { fields, error } = digest(args);
      logger.error({ event, ...fields, ...error }, String(error.reason ?? event));
    });
  }
}

interface Digest {
  readonly fields: Record<string, unknown>;
  readonly error: { code?: string; reason?: string };
}

function digest(args: readonly unknown[]): Digest {
  const fields: Record<string, unknown> = {};
  const error: Digest['error'] = {};
  for (const arg of args) {
    if (arg instanceof Error) {
      error.reason = describeError(arg);
      if (arg instanceof TidegateError) error.code = arg.code;
    } else if (typeof arg === 'object' && arg !== null) {
      Object.assign(fields, arg);
    }
  }
  return { fields, error };
}
