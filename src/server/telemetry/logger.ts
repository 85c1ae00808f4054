/** Owns what a log line looks like: one JSON object a line, or text for people. Refuses to decide what is logged. */
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogConfig } from '../config/log.js';
import type { LogLevel } from '../config/log-levels.js';
import { isPrintable, printable } from './printable.js';

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

/** What log lines are written to: a logger of pino, or one that takes the same. */
export interface EventLogger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** How {@link createLogger} writes. */
export interface LoggerOptions extends Pick<LogConfig, 'format' | 'level'>, Partial<Pick<LogConfig, 'redact'>> {
  /** Default: standard output. */
  readonly destination?: LogDestination;
}

/**
 * Makes a logger. As JSON, each line has `time` (ISO 8601), `level` as a word, `event`, the fields, and `message`.
 * Lines are written at once, so that none is lost when the process ends.
 */
export function createLogger({ format, level, redact = [], destination = process.stdout }: LoggerOptions): Logger {
  const isText = format === 'text' || (format === 'auto' && destination.isTTY === true);
  const family = new Set<WeakRef<PinoLogger>>();
  const logger = pino(
    {
      level,
      // A child keeps the level that it was made with, unless it is told of another one.
      onChild: (child) => void family.add(new WeakRef(child)),
      // The process id and the host are added by whoever collects lines of several processes.
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: stdTimeFunctions.isoTime,
      redact: { paths: [...redact], censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
    },
    isText ? text(destination) : json(destination),
  );
  family.add(new WeakRef(logger));
  families.set(logger, family);
  return logger;
}

/** By the logger that {@link createLogger} made: it, and all that were made of it. */
const families = new WeakMap<Logger, Set<WeakRef<PinoLogger>>>();

/** The level of a logger that {@link createLogger} made. */
export function logLevelOf(logger: Logger): LogLevel {
  return (logger as PinoLogger).level as LogLevel;
}

/** Changes the level of a logger that {@link createLogger} made, and of all that were made of it. */
export function setLogLevel(logger: Logger, level: LogLevel): void {
  const family = families.get(logger) ?? new Set();
  for (const reference of family) {
    const one = reference.deref();
    if (one === undefined) family.delete(reference);
    else one.level = level;
  }
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
  return { write: (line) => void destination.write(format(forPeople(line))) };
}

// What JSON writes as \u00.. but for itself, the short forms of line ends and the like, and what it writes as it is.
const SUSPECT = /\\[bfnrtu]/;

/** A line of which nothing moves a cursor or begins another line: clients choose names, paths and reasons. */
function forPeople(line: string): string | object {
  const text = line.trimEnd();
  return SUSPECT.test(text) || !isPrintable(text) ? (JSON.parse(text, printableValue) as object) : line;
}

function printableValue(_name: string, value: unknown): unknown {
  return typeof value === 'string' ? printable(value) : value;
}
