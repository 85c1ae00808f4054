/** Owns what a log line looks like: one JSON object a line, or text for people. Refuses to decide what is logged. */
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogConfig } from '../config/file-schema.js';

/** Where log lines go; a stream of Node.js fits. */
export interface LogDestination {
  write(text: string): unknown;
  /** True for a terminal, which gets colours. */
  readonly isTTY?: boolean | undefined;
}

/**
 * A logger. The first argument of each method holds the fields of the line, of which `event` names what happened; the
 * second says it in words.
 */
export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'child'>;

/** How {@link createLogger} writes. */
export interface LoggerOptions extends LogConfig {
  /** Default: standard output. */
  readonly destination?: LogDestination;
}

/**
 * Makes a logger. As JSON, each line has `time` (ISO 8601), `level` as a word, `event`, the fields, and `message`.
 * Lines are written at once, so that none is lost when the process ends.
 */
export function createLogger({ format, level, destination = process.stdout }: LoggerOptions): Logger {
  return pino(
    {
      level,
      // The process id and the host are added by whoever collects lines of several processes.
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? json(destination) : text(destination),
  );
}

function json(destination: LogDestination): DestinationStream {
  return { write: (line) => void destination.write(line) };
}

// pino-pretty's own stream is asynchronous; its formatter alone keeps the order with everything else on the terminal.
function text(destination: LogDestination): DestinationStream {
  const format = prettyFactory({
    colorize: destination.isTTY === true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'event',
    messageKey: 'message',
    errorLikeObjectKeys: ['error'],
    singleLine: true,
  });
  return { write: (line) => void destination.write(format(line)) };
}
