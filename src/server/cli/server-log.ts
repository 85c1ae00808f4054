/**
 * Owns which events of a server become log lines, and with which facts. Refuses to log what a client sent in confidence:
 * header fields and the query, where credentials travel, are left out.
 */
import type { EventEmitter } from 'node:events';
import { type Connection, describeError, TidegateError } from '../../receivers/index.js';
import type { ServerEvents } from '../events.js';
import type { Logger } from '../telemetry/logger.js';
import type { CertificateReport } from '../tls/server-certificates.js';

/** Logs each refused upgrade, each closed connection with its close report, and what went wrong. */
export function logServerEvents<Events extends ServerEvents & Record<keyof Events, unknown[]>>(
  emitter: EventEmitter<Events>,
  logger: Logger,
): void {
  // Every kind of server has these events, and perhaps more.
  const server = emitter as unknown as EventEmitter<ServerEvents>;
  server.on('connection', (connection) => {
    logger.debug({ event: 'connection.opened', ...factsOf(connection) }, 'connection opened');
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
    logger.warn(line, `banned ${address}: ${detail}`);
  });
  server.on('disconnected', (connection, report) => {
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
  logger: Logger,
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
