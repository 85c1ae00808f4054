/**
 * Owns running servers for the command line: start all or none, say when they are ready, drain on a signal, answer with
 * the exit code. Refuses to know where their options came from.
 */
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { AdminServer } from '../admin/admin-server.js';
import { type Administration, administration } from '../admin/administration.js';
import type { ReloadReport } from '../admin/process-control.js';
import type { Logger } from '../telemetry/logger.js';
import type { CertificateReport } from '../tls/server-certificates.js';
import { CliProcess } from './cli-process.js';
import { EXIT, type SignalSource } from './io.js';

/** What the command line needs of a server. */
export interface Servable {
  start(): Promise<readonly { readonly url: string }[]>;
  stop(): Promise<void>;
  /** Where its admin API is; undefined for none. */
  readonly adminUrl?: string | undefined;
  /** Reads certificates again; what came of it is logged as an event of the server. */
  reloadCertificates?(): readonly CertificateReport[];
  /** What has one can be told more through its admin API. */
  [administration]?(): Administration;
}

/** How {@link serve} is told what to do. */
export interface ServeOptions {
  readonly servers: readonly Servable[];
  /** The admin API of all of them together; undefined for none. There before they are, and as long as the last of them. */
  readonly admin?: AdminServer | undefined;
  readonly logger: Logger;
  readonly signals: SignalSource;
  /** Called on SIGHUP while running, and when an admin API is told to. */
  readonly reload: () => ReloadReport | Promise<ReloadReport>;
  /** Called once when every listener is bound. */
  readonly ready?: (addresses: readonly string[]) => void;
  /** What the line says that is written then. Default: where the servers listen. */
  readonly readyText?: string | undefined;
  /** Resolves with the reason when it makes no sense to go on. */
  readonly over?: Promise<string> | undefined;
}

/** Runs servers until SIGTERM or SIGINT and a complete drain. A second signal ends it at once. */
export async function serve({
  servers,
  admin,
  logger,
  signals,
  reload,
  ready,
  readyText,
  over,
}: ServeOptions): Promise<number> {
  const stopSignal = new Waiter(signals);
  const process = new CliProcess(logger, reload);
  for (const server of servers) {
    const administered = server[administration]?.();
    if (administered !== undefined) administered.process = process;
  }
  // Without a listener SIGHUP would end the process.
  const onReload = () => void runReload(process, logger);
  signals.on('SIGHUP', onReload);
  try {
    const addresses = await startAll(servers, admin, logger);
    if (addresses === undefined) return EXIT.failed;
    const admins = [
      ...(admin?.url === undefined ? [] : [admin.url]),
      ...servers.flatMap(({ adminUrl }) => adminUrl ?? []),
    ];
    const also = admins.length > 0 ? `, admin API on ${admins.join(', ')}` : '';
    const line = { event: 'ready', addresses, admin: admins.length > 0 ? admins : undefined };
    logger.info(line, readyText ?? `listening on ${addresses.join(', ')}${also}`);
    ready?.(addresses);

    const signal = await Promise.race([
      stopSignal.next(),
      process.draining,
      ...(over === undefined ? [] : [over.then(givenUp)]),
    ]);
    if (typeof signal === 'object') {
      logger.error({ event: 'failed', reason: signal.reason }, signal.reason);
      await drain(servers, logger);
      return EXIT.failed;
    }
    const who = signal === undefined ? 'the admin API was told to: draining; a' : `${signal}: draining; a second`;
    logger.info({ event: 'draining', signal }, `${who} signal ends at once`);
    const second = stopSignal.next();
    return await Promise.race([drain(servers, logger), second.then((again) => terminated(again, logger))]);
  } finally {
    await admin?.close();
    signals.off('SIGHUP', onReload);
    stopSignal.dispose();
  }
}

function givenUp(reason: string): { readonly reason: string } {
  return { reason };
}

async function startAll(
  servers: readonly Servable[],
  admin: AdminServer | undefined,
  logger: Logger,
): Promise<string[] | undefined> {
  try {
    // First, so that servers whose admin API cannot be had take no client.
    await admin?.start();
  } catch (error) {
    logFailure('start.failed', 'could not start', error, logger);
    return undefined;
  }
  const results = await Promise.allSettled(servers.map((server) => server.start()));
  const failures = results.filter((result) => result.status === 'rejected');
  if (failures.length === 0) {
    return results.flatMap((result) => (result.status === 'fulfilled' ? result.value.map(({ url }) => url) : []));
  }
  for (const { reason } of failures as { reason: unknown }[])
    logFailure('start.failed', 'could not start', reason, logger);
  // All or none: what did start would serve half a configuration.
  await Promise.allSettled(
    servers.filter((_, index) => results[index]?.status === 'fulfilled').map((one) => one.stop()),
  );
  return undefined;
}

async function drain(servers: readonly Servable[], logger: Logger): Promise<number> {
  const results = await Promise.allSettled(servers.map((server) => server.stop()));
  const failures = results.filter((result) => result.status === 'rejected');
  for (const { reason } of failures as { reason: unknown }[])
    logFailure('stop.failed', 'could not stop', reason, logger);
  if (failures.length > 0) return EXIT.failed;
  logger.info({ event: 'stopped' }, 'stopped');
  return EXIT.ok;
}

function terminated(signal: NodeJS.Signals, logger: Logger): number {
  logger.warn({ event: 'terminated', signal }, `${signal} again: ended without waiting`);
  return EXIT_BY_SIGNAL[signal as keyof typeof EXIT_BY_SIGNAL];
}

// As a shell reports a process that a signal ended.
const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

/** Reads the certificates of every server again. Answers with what came of it for each listener that has any. */
export function reloadCertificates(servers: readonly Servable[], logger: Logger): CertificateReport[] {
  const reports = servers.flatMap((server) => server.reloadCertificates?.() ?? []);
  const same = reports.filter(({ result }) => result === 'unchanged').length;
  if (reports.length > 0 && same === reports.length) {
    logger.info({ event: 'reload', result: 'unchanged certificates' }, 'the certificates are unchanged');
  }
  return reports;
}

async function runReload(process: CliProcess, logger: Logger): Promise<void> {
  try {
    await process.reload();
  } catch (error) {
    logFailure('reload', 'could not reload', error, logger);
  }
}

/** Writes what went wrong with its code and its line of help. */
function logFailure(event: string, what: string, error: unknown, logger: Logger): void {
  const code = error instanceof TidegateError ? error.code : undefined;
  const help = error instanceof TidegateError ? error.help : undefined;
  logger.error({ event, code, help, reason: describeError(error) }, `${what}: ${describeError(error)}`);
}

/** Waits for the next signal that asks the process to stop. */
class Waiter {
  readonly #signals: SignalSource;
  readonly #arrived: NodeJS.Signals[] = [];
  readonly #waiting: ((signal: NodeJS.Signals) => void)[] = [];
  readonly #onInterrupt = () => this.#arrive('SIGINT');
  readonly #onTerminate = () => this.#arrive('SIGTERM');

  constructor(signals: SignalSource) {
    this.#signals = signals;
    signals.on('SIGINT', this.#onInterrupt);
    signals.on('SIGTERM', this.#onTerminate);
  }

  next(): Promise<NodeJS.Signals> {
    const arrived = this.#arrived.shift();
    return arrived !== undefined ? Promise.resolve(arrived) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  dispose(): void {
    this.#signals.off('SIGINT', this.#onInterrupt);
    this.#signals.off('SIGTERM', this.#onTerminate);
  }

  #arrive(signal: NodeJS.Signals): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#arrived.push(signal);
    else waiting(signal);
  }
}
