/**
 * Owns which events of a balancer become log lines, beside those of every server. Refuses to log what a backend proved itself with.
 */
import type { EventEmitter } from 'node:events';
import type { BackendInfo } from '../../actors/backend.js';
import type { LoadBalancerEvents } from '../balancer/balancer-events.js';
import type { EventLogger } from '../telemetry/logger.js';

/** Logs what becomes of the backends, which client is on which, and registrations that were refused. */
export function logBalancerEvents(server: EventEmitter<LoadBalancerEvents>, logger: EventLogger): void {
  server.on('backend.connected', ({ id, request: { remoteAddress } }) => {
    logger.debug({ event: 'backend.connected', id, remoteAddress }, 'a control channel is open');
  });
  server.on('backend.ready', (backend) => {
    logger.info({ event: 'backend.ready', ...factsOf(backend) }, `backend ${backend.id} is ready`);
  });
  server.on('backend.draining', (backend) => {
    const line = { event: 'backend.draining', ...factsOf(backend), cause: backend.draining };
    logger.info(line, `backend ${backend.id} gets no new clients: ${backend.draining}`);
  });
  server.on('backend.lost', (backend, code) => {
    const line = { event: 'backend.lost', ...factsOf(backend), code };
    logger.warn(line, `the control channel of backend ${backend.id} is lost: ${code}`);
  });
  server.on('backend.health', (backend, health) => {
    const line = { event: 'backend.health', ...factsOf(backend), health };
    const message = `backend ${backend.id} is ${health}`;
    if (health === 'healthy') logger.info(line, message);
    else logger.warn(line, message);
  });
  server.on('backend.gone', (backend) => {
    logger.info({ event: 'backend.gone', ...factsOf(backend) }, `backend ${backend.id} is gone`);
  });
  server.on('registration.refused', ({ why, message: detail, remoteAddress, backend }) => {
    const line = { event: 'registration.refused', why, detail, backend, remoteAddress };
    logger.warn(line, `registration refused: ${why}`);
  });
  server.on('client.paired', ({ id }, backend) => {
    const line = { event: 'client.paired', id, backend: backend.id, load: backend.load };
    logger.debug(line, `client on backend ${backend.id}`);
  });
  server.on('client.unpaired', ({ id }, backend) => {
    const line = { event: 'client.unpaired', id, backend: backend.id, load: backend.load };
    logger.debug(line, `client off backend ${backend.id}`);
  });
  server.on('http.request', ({ error, ...report }) => {
    const line = { event: 'http.request', ...report, code: error?.code, detail: error?.message };
    logger.info(line, `${report.method} ${report.status}${error === undefined ? '' : `, ${error.code}`}`);
  });
}

function factsOf({ id, url, source, weight, capacity, load, generation }: BackendInfo) {
  return { backend: id, url, source, weight, capacity, load, generation };
}
