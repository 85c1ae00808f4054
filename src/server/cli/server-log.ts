/**
 * Owns which events of a server become log lines, and with which facts. Refuses to log what a client sent in confidence:
 * header fields and the query, where credentials travel, are left out.
 */
import type { EventEmitter } from 'node:events';
import { type Connection, describeError, TidegateError } from '../../receivers/index.js';
import type { LogConfig } from '../config/log.js';
import type { ServerEvents } from '../events.js';
import type { EventLogger } from '../telemetry/logger.js';
import { Periodic } from '../telemetry/periodic.js';
import type { CertificateReport } from '../tls/server-certificates.js';

/** What of the options of the log says which lines there are. */
export type LogLines = Partial<Pick<LogConfig, 'opened' | 'every'>>;

/** Logs each refused upgrade, each closed connection with its close report, and what went wrong. */
export function logServerEvents<Events extends ServerEvents & Record<keyof Events, unknown[]>>(
  emitter: EventEmitter<Events>,
  logger: EventLogger,
  { opened = false, every = 0 }: LogLines = {},
): void {
  // Every kind of server has these events, and perhaps more.
  const server = emitter as unknown as EventEmitter<ServerEvents>;
  const lasting = new Periodic<Connection>(every, (connection) => {
    const { state, received, sent, bufferedBytes, openedAt } = connection.snapshot();
    const durationMs = openedAt === undefined ? 0 : Date.now() - Date.parse(openedAt);
    const line = { event: 'connection.lasting', ...factsOf(connection), state, received, sent, bufferedBytes };
    logger.info({ ...line, throttled: connection.throttled, durationMs }, 'connection goes on');
  });
  server.on('connection', (connection) => {
    logger[opened ? 'info' : 'debug']({ event: 'connection.opened', ...factsOf(connection) }, 'connection opened');
    lasting.add(connection);
  });
  server.on('rejected', ({ error: code, status, message: detail, remoteAddress, path, policy, suppressed }) => {
    if (policy !== undefined) {
      // Turned away at the accept: there was no upgrade. Of a flood only a part is told, and how much was not.
      const line = { event: 'connection.refused', code, detail, policy, remoteAddress, suppressed };
      logger.info(line, `connection refused: ${code} (${policy})`);
      return;
    }
    const line = { event: 'upgrade.refused', status, code, detail, path, remoteAddress };
    logger.info(line, `upgrade refused: ${status}, ${code}`);
  });
  server.on('banned', ({ address, until, count, reason: detail }) => {
    const line = { event: 'address.banned', address, until: new Date(until).toISOString(), count, detail };
    // Without the address, which may be a field that is to be left out.
    logger.warn(line, `an address was banned: ${detail}`);
  });
  server.on('disconnected', (connection, report) => {
    lasting.delete(connection);
    const line = { event: 'connection.closed', ...factsOf(connection), ...report };
    // As a plain string: the logger's types would spell out every status with every cause.
    const message: string = `connection closed: ${report.status}, ${report.cause}`;
    logger.info(line, message);
  });
  server.on('listener.lost', ({ address, reason, error }) => {
    const line = { event: 'listener.lost', address: address.url, reason, code: error.code, detail: error.message };
    logger.error(line, error.message);
  });
  server.on('listener.restored', ({ address, attempts }) => {
    const line = { event: 'listener.restored', address: address.url, attempts };
    logger.warn(line, `listening on ${address.url} again`);
  });
  server.on('certificates', (report) => logCertificates(report, logger));
  server.on('expiring', (connection, expiresAt) => {
    const line = { event: 'credentials.expiring', ...factsOf(connection), expiresAt: expiresAt.toISOString() };
    logger.info(line, 'the credentials of a connection expire soon');
  });
  server.on('recording', ({ state, id, file, error }) => {
    const line = { event: `recording.${state}`, id, file, code: error?.code, detail: error?.message };
    if (error === undefined) logger.info(line, `recording of ${id} ${state}: ${file}`);
    else logger.error(line, error.message);
  });
  server.on('error', (error) => {
    logger.error({ event: 'error', code: error.code, detail: error.message }, `error: ${error.message}`);
  });
  server.on('exception', (error, connection) => {
    const code = error instanceof TidegateError ? error.code : undefined;
    const detail = describeError(error);
    const facts = connection === undefined ? {} : factsOf(connection);
    logger.error({ event: 'exception', ...facts, code, detail }, `a callback threw: ${detail}`);
  });
}

function logCertificates(
  { listener, result, certificates, warnings, reason }: CertificateReport,
  logger: EventLogger,
): void {
  const facts = certificates.map(({ names, fingerprint256, validTo, file }) => {
    return {
      names,
      fingerprint256,
      validTo: Number.isFinite(validTo) ? new Date(validTo).toISOString() : undefined,
      file,
    };
  });
  const line = { event: 'certificates', listener, result, certificates: facts, reason };
  const names = certificates.flatMap((one) => one.names).join(', ');
  if (result === 'kept') logger.error(line, `certificates of ${listener} not reloaded, the old ones stay: ${reason}`);
  else logger.info(line, `certificates of ${listener} ${result}: ${names}`);
  for (const warning of warnings) logger.warn({ event: 'certificates.warning', listener, detail: warning }, warning);
}

function factsOf({ id, request, target, subprotocol, principal }: Connection) {
  const { path, remoteAddress, remotePort } = request;
  return { id, user: principal?.name, path, target, subprotocol, remoteAddress, remotePort };
}
