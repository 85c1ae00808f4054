/**
 * Owns what SIGHUP does about the configuration file: what may change without a restart is changed, and the rest is told. Refuses to
 * touch a connection, but those of backends that are no more in the file.
 */
import type { FileReload } from '../admin/process-control.js';
import type { BackendChanges } from '../balancer/known-backends.js';
import type { BackendConfig } from '../config/balancer/backends.js';
import type { BalancerEntry } from '../config/file-schema.js';
import { examineConfig, type LoadedConfig } from '../config/load.js';
import type { Logger } from '../telemetry/logger.js';
import { changedOptions } from './changed-options.js';

/** A balancer that takes other backends while it runs. */
export interface ReplacesBackends {
  replaceBackends(backends: readonly BackendConfig[]): BackendChanges;
}

/** A balancer of the file that runs. */
export interface RunningBalancer {
  readonly server: ReplacesBackends;
  readonly logger: Logger;
}

/** A configuration file that runs, and what of it was applied since. */
export class ReloadedConfig {
  readonly #balancers: readonly RunningBalancer[];
  readonly #logger: Logger;
  /** As it runs: what a restart would change stays as it was. */
  #running: LoadedConfig;

  /** @param balancers in the order of the file. */
  constructor(running: LoadedConfig, balancers: readonly RunningBalancer[], logger: Logger) {
    this.#running = running;
    this.#balancers = balancers;
    this.#logger = logger;
  }

  /** Reads the file again, applies what can be, and logs and answers what cannot. Never rejects for what is in the file. */
  async reload(): Promise<FileReload> {
    const logger = this.#logger;
    const { config, problems } = await examineConfig(this.#running.file);
    if (config === undefined) {
      const messages = problems.map(({ message }) => message);
      logger.error({ event: 'reload', result: 'invalid', problems: messages }, `not reloaded: ${messages.join('; ')}`);
      return { result: 'invalid', problems: messages, changed: [] };
    }
    const applied = this.#applyBackends(config);
    const changed = changedOptions(this.#running, config);
    if (changed.length > 0) {
      const message = `restart needed for: ${changed.join(', ')}`;
      logger.warn({ event: 'reload', result: 'restart needed', changed }, message);
      return { result: 'restart needed', problems: [], changed };
    }
    if (applied > 0) return { result: 'applied', problems: [], changed };
    logger.info({ event: 'reload', result: 'unchanged' }, 'the file is valid and unchanged');
    return { result: 'unchanged', problems: [], changed };
  }

  /** Answers with the number of balancers that got other backends. */
  #applyBackends(config: LoadedConfig): number {
    let applied = 0;
    const balancers = this.#running.balancers.map((running, index): BalancerEntry => {
      const wanted = config.balancers[index];
      const balancer = this.#balancers[index];
      // Of the same name, or without one at the same place: another balancer is a matter of a restart.
      if (wanted === undefined || balancer === undefined || wanted.name !== running.name) return running;
      if (changedOptions(running.backends, wanted.backends).length === 0) return running;
      applied += 1;
      this.#tell(balancer, wanted.backends, balancer.server.replaceBackends(wanted.backends));
      return { ...running, backends: wanted.backends };
    });
    this.#running = { ...this.#running, balancers };
    return applied;
  }

  #tell({ logger }: RunningBalancer, all: readonly BackendConfig[], changes: BackendChanges): void {
    const words = Object.entries(changes).flatMap(([what, ids]) => (ids.length > 0 ? `${what} ${ids.join(', ')}` : []));
    const message = words.length > 0 ? `backends: ${words.join('; ')}` : 'backends: in another order';
    const line = { event: 'reload', result: 'backends', ...changes, backends: all.length };
    // What waits for the clients of an older one of its name is not what the file says, for now.
    if (changes.waiting.length > 0) logger.warn(line, message);
    else logger.info(line, message);
  }
}
