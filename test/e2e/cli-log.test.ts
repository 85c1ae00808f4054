/** Owns which facts about a connection reach the log, and that secrets do not. */
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { TidegateError } from '../../src/receivers/errors.js';
import { logServerEvents } from '../../src/server/cli/server-log.js';
import { createLogger } from '../../src/server/telemetry/logger.js';

function logOf(event: string, ...args: unknown[]): Record<string, unknown> {
  const lines: string[] = [];
  const server = new EventEmitter();
  const destination = { write: (line: string) => lines.push(line) };
  logServerEvents(server, createLogger({ format: 'json', level: 'debug', destination }));
  server.emit(event, ...args);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

const request = {
  path: '/chat',
  url: '/chat?token=secret',
  headers: { cookie: 'secret', authorization: 'Basic secret' },
  rawHeaders: ['Cookie', 'secret'],
  query: new URLSearchParams('token=secret'),
  remoteAddress: '192.0.2.1',
};
const connection = { id: 'c1', target: 'tcp://a:1', request, close: () => {} };
const report = {
  status: 1000,
  cause: 'closed',
  initiator: 'downstream',
  durationMs: 5,
  sent: { messages: 1, bytes: 2 },
};

it.each([
  ['as arguments', [connection, report]],
  ['as fields of one', [{ connection, report }]],
])('a closed connection is logged with its report, given %s', (_, args) => {
  expect(logOf('disconnected', ...args)).toMatchObject({
    level: 'info',
    event: 'connection.closed',
    id: 'c1',
    path: '/chat',
    target: 'tcp://a:1',
    remoteAddress: '192.0.2.1',
    ...report,
    message: 'connection closed: 1000, closed',
  });
});

it('a refused upgrade is logged with its status and why', () => {
  const error = new TidegateError('UPSTREAM_REFUSED', 'connect ECONNREFUSED');
  expect(logOf('rejected', { request, status: 502, error })).toMatchObject({
    event: 'upgrade.refused',
    status: 502,
    code: 'UPSTREAM_REFUSED',
    detail: 'connect ECONNREFUSED',
  });
});

it.each(['connection', 'rejected', 'disconnected', 'error', 'exception'])('%s logs no header and no query', (event) => {
  expect(JSON.stringify(logOf(event, connection, { request, status: 403 }))).not.toContain('secret');
});
