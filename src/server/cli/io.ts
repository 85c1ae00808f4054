/** Owns what the command line needs from its surroundings, so that a test can give its own. */
import type { LogDestination } from '../telemetry/logger.js';
import type { TerminalStreams } from './top/terminal.js';

/** What delivers signals: `process`, or an emitter of a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
}

/** The surroundings of one run of the command line. */
export interface CliIo {
  readonly stdout: LogDestination;
  readonly stderr: LogDestination;
  /** Where a password is read from. Default: that of the process. */
  readonly stdin?: AsyncIterable<Uint8Array | string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where views are drawn. Default: that of the process, if it has one. */
  readonly terminal?: TerminalStreams;
  /** Default: `process`. */
  readonly signals?: SignalSource;
}

/** How a run ends, as an exit code. */
export const EXIT = {
  /** It did what it was asked; a server drained completely. */
  ok: 0,
  /** It could not run, or not go on. */
  failed: 1,
  /** The command line, the environment or the file is wrong. */
  misconfigured: 2,
} as const;
