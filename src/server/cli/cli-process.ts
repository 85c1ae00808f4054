/** Owns what the process of the command line can be told through an admin API, as by signals. Refuses to know who tells it. */
import { settling } from '../../actors/settling.js';
import type { ProcessControl, ReloadReport } from '../admin/process-control.js';
import type { LogLevel } from '../config/log-levels.js';
import { type Logger, logLevelOf, setLogLevel } from '../telemetry/logger.js';

/** The process of the command line. */
export class CliProcess implements ProcessControl {
  readonly #logger: Logger;
  readonly #reload: () => ReloadReport | Promise<ReloadReport>;
  readonly #drain = settling();
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(logger: Logger, reload: () => ReloadReport | Promise<ReloadReport>) {
    this.#logger = logger;
    this.#reload = reload;
  }

  get logLevel(): LogLevel {
    return logLevelOf(this.#logger);
  }

  set logLevel(level: LogLevel) {
    const line = { event: 'log.level', from: this.logLevel, to: level };
    const message = `the log level is ${level}, as the admin API was told`;
    this.#logger.warn(line, message);
    setLogLevel(this.#logger, level);
  }

  /** Resolves when it was told to drain. */
  get draining(): Promise<void> {
    return this.#drain.promise;
  }

  drain(): void {
    this.#drain.resolve();
  }

  /** One after the other, whoever asks: each reads everything again. */
  reload(): Promise<ReloadReport> {
    const next = this.#reloading.then(() => this.#reload());
    this.#reloading = next.catch(() => {});
    return next;
  }
}
