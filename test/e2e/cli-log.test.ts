/** Owns which facts about a connection reach the log, and that secrets do not. */
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import type { CloseReport, Connection } from '../../src/receivers/index.js';
import { TidegateError } from '../../src/receivers/index.js';
import { logTo } from '../../src/server/cli/log-to.js';
import { logServerEvents } from '../../src/server/cli/server-log.js';
import type { ServerEvents } from '../../src/server/events.js';
import { createLogger } from '../../src/server/telemetry/logger.js';
import { isPrintable } from '../../src/server/telemetry/printable.js';
import { startReceivers } from '../server/stage.js';
import { WaitingLine } from '../support/events.js';

function logOf(emit: (server: EventEmitter<ServerEvents>) => void): Record<string, unknown> {
  const lines: string[] = [];
  const server = new EventEmitter<ServerEvents>();
  const destination = { write: (line: string) => lines.push(line) };
  logServerEvents(server, createLogger({ format: 'json', level: 'debug', destination }));
  emit(server);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain('secret');
  return JSON.parse(lines[0]!) as Record<string, unknown>;
}

const request = {
  path: '/chat',
  url: '/chat?token=secret',
  headers: { cookie: 'secret', authorization: 'Basic secret' },
  rawHeaders: ['Cookie', 'secret'],
  query: new URLSearchParams('token=secret'),
  remoteAddress: '192.0.2.1',
  remotePort: 5,
};
// Only what the log reads is played.
const connection = { id: 'c1', target: 'tcp://a:1', subprotocol: '', request } as unknown as Connection;
const facts = { id: 'c1', path: '/chat', target: 'tcp://a:1', remoteAddress: '192.0.2.1', remotePort: 5 };

it('an opened connection is logged for debugging', () => {
  const line = logOf((server) => server.emit('connection', connection));
  expect(line).toMatchObject({ level: 'debug', event: 'connection.opened', ...facts });
});

it('a closed connection is logged with its report', () => {
  const report: CloseReport = {
    initiator: 'downstream',
    cause: 'closed',
    status: 1000,
    reason: 'bye',
    codeSent: 1000,
    codeReceived: 1000,
    received: { messages: 1, bytes: 2 },
    sent: { messages: 3, bytes: 4 },
    durationMs: 5,
    undeliveredBytes: 0,
    dropped: { messages: 0, bytes: 0 },
  };
  const line = logOf((server) => server.emit('disconnected', connection, report));
  const message = 'connection closed: 1000, closed';
  expect(line).toMatchObject({ level: 'info', event: 'connection.closed', ...facts, ...report, message });
});

it('a refused upgrade is logged with its status and why', () => {
  const rejected = { error: 'UPSTREAM_REFUSED', status: 502, message: 'no', remoteAddress: '::1', path: '/' } as const;
  const line = logOf((server) => server.emit('rejected', rejected));
  expect(line).toMatchObject({
    event: 'upgrade.refused',
    status: 502,
    code: 'UPSTREAM_REFUSED',
    detail: 'no',
    path: '/',
  });
});

it('a connection that is turned away at its accept is logged with the policy, and how many were not told', () => {
  const rejected = {
    error: 'RATE_LIMITED',
    status: 429,
    message: 'too fast',
    remoteAddress: '::1',
    path: undefined,
  } as const;
  const line = logOf((server) => server.emit('rejected', { ...rejected, policy: 'connection-rate', suppressed: 7 }));
  expect(line).toMatchObject({
    level: 'info',
    event: 'connection.refused',
    code: 'RATE_LIMITED',
    detail: 'too fast',
    policy: 'connection-rate',
    remoteAddress: '::1',
    suppressed: 7,
  });
});

it('a ban is logged with its end', () => {
  const until = Date.UTC(2030, 0, 1);
  const ban = { address: '192.0.2.1', until, count: 2, reason: 'wrong password' };
  const line = logOf((server) => server.emit('banned', ban));
  expect(line).toMatchObject({
    level: 'warn',
    event: 'address.banned',
    address: '192.0.2.1',
    until: '2030-01-01T00:00:00.000Z',
    count: 2,
    detail: 'wrong password',
  });
});

it('an error is logged with its code', () => {
  const line = logOf((server) => server.emit('error', new TidegateError('LISTEN_FAILED', 'gone')));
  expect(line).toMatchObject({ level: 'error', event: 'error', code: 'LISTEN_FAILED', detail: 'gone' });
});

it.each([connection, undefined])('an exception is logged, with a connection or without', (one) => {
  const line = logOf((server) => server.emit('exception', new Error('oops'), one));
  expect(line).toMatchObject({ level: 'error', event: 'exception', detail: 'oops' });
});

it('an opened connection has a line of level info where that is wanted', () => {
  const lines: string[] = [];
  const server = new EventEmitter<ServerEvents>();
  const destination = { write: (line: string) => lines.push(line) };
  logServerEvents(server, createLogger({ format: 'json', level: 'info', destination }), { opened: true });
  server.emit('connection', connection);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', event: 'connection.opened', ...facts });
});

it('fields that are to be left out are in no line, of children of the logger neither', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const redact = ['remoteAddress', 'path', 'address'];
  const logger = createLogger({ format: 'json', level: 'debug', redact, destination }).child({ proxy: 'a' });
  const server = new EventEmitter<ServerEvents>();
  logServerEvents(server, logger);
  server.emit('connection', connection);
  server.emit('banned', { address: '192.0.2.1', until: 0, count: 1, reason: 'flood' });
  expect(JSON.parse(lines[0]!)).toMatchObject({
    proxy: 'a',
    remoteAddress: '[redacted]',
    path: '[redacted]',
    id: 'c1',
  });
  expect(lines.join('')).not.toMatch(/192\.0\.2\.1|\/chat/);
});

it('is text on a terminal, and JSON elsewhere', () => {
  const write = (isTTY: boolean): string => {
    const lines: string[] = [];
    const destination = { isTTY, write: (line: string) => lines.push(line) };
    createLogger({ format: 'auto', level: 'info', destination }).info({ event: 'ready' }, 'listening');
    return lines.join('');
  };
  expect(JSON.parse(write(false))).toMatchObject({ event: 'ready', message: 'listening' });
  expect(write(true)).toMatch(/INFO.*listening/);
});

it('as text has nothing that a terminal would act on, and no line that is none', () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => lines.push(line) };
  const logger = createLogger({ format: 'text', level: 'info', destination });
  const hostile = '\x1b]0;owned\x07\n[00:00:00] INFO: forged \u009b2J\u202e';
  logger.info({ event: 'x', user: hostile, deep: { list: [hostile] } }, `a callback threw: ${hostile}`);
  const text = lines.join('');
  expect(text.endsWith('\n')).toBe(true);
  expect(isPrintable(text.slice(0, -1))).toBe(true);
  expect(text).toContain('\\x1b]0;owned\\x07\\x0a[00:00:00] INFO: forged \\x9b2J\\u202e');
});

it('a connection that lasts has lines with what it has carried, and none when it is over', async () => {
  const lines: Record<string, unknown>[] = [];
  const more = new WaitingLine();
  const destination = {
    write: (line: string) => {
      lines.push(JSON.parse(line) as Record<string, unknown>);
      more.notify();
    },
  };
  const { server, open, events } = await startReceivers();
  logTo(server, createLogger({ format: 'json', level: 'info', destination }), { every: 20 });
  const client = await open();
  client.sendText('hello');
  const lasting = () => lines.filter(({ event }) => event === 'connection.lasting');
  const line = await more.until(
    () => lasting().find(({ received }) => (received as { messages: number }).messages === 1),
    () => undefined,
  );
  expect(line).toMatchObject({ id: 'conn-1', received: { messages: 1, bytes: 5 }, throttled: false, state: 'open' });
  client.sendClose(1000);
  await events.reports.next();
  const count = lasting().length;
  await open();
  await more.until(
    () => (lasting().some(({ id }) => id === 'conn-2') ? true : undefined),
    () => undefined,
  );
  expect(lasting().filter(({ id }) => id === 'conn-1')).toHaveLength(count);
});
