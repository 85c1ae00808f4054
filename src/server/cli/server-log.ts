/**
 * Owns which events of a server become log lines, and with which facts. Refuses to log what a client sent in confidence:
 * header fields and the query, where credentials travel, are left out.
 */
import type { EventEmitter } from 'node:events';
import { describeError, TidegateError } from '../../receivers/errors.js';
import type { Logger } from '../telemetry/logger.js';

/** Logs each refused upgrade, each closed connection with its close report, and what went wrong. */
export function logServerEvents(server: EventEmitter, logger: Logger): void {
  server.on('connection', (...args: unknown[]) => {
    logger.debug({ event: 'connection.opened', ...factsOf(args) }, 'connection opened');
  });
  server.on('rejected', (...args: unknown[]) => {
    const facts = factsOf(args);
    logger.info({ event: 'upgrade.refused', ...facts }, sentence('upgrade refused', facts.status, facts.code));
  });
  server.on('disconnected', (...args: unknown[]) => {
    const facts = factsOf(args);
    logger.info({ event: 'connection.closed', ...facts }, sentence('connection closed', facts.status, facts.cause));
  });
  for (const event of ['error', 'exception'] as const) {
    server.on(event, (...args: unknown[]) => {
      const facts = factsOf(args);
      logger.error({ event, ...facts }, sentence(event, facts.code, facts.detail));
    });
  }
}

// A close report, and what tells one connection from another. What is not named here is not logged.
const FACTS = [
  ...['id', 'path', 'target', 'subprotocol', 'remoteAddress', 'remotePort', 'status', 'code', 'initiator', 'cause'],
  ...['reason', 'codeSent', 'codeReceived', 'received', 'sent', 'durationMs', 'undeliveredBytes'],
] as const;

type Facts = Partial<Record<(typeof FACTS)[number] | 'detail', unknown>>;

// Events carry connections, requests, reports and errors, as arguments or as fields of one argument.
const PARTS = ['connection', 'request', 'report', 'error'] as const;

function factsOf(values: readonly unknown[]): Facts {
  const facts: Facts = {};
  for (const value of values) collect(value, facts, 0);
  return facts;
}

function collect(value: unknown, facts: Facts, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 2) return;
  if (value instanceof Error) {
    if (value instanceof TidegateError) facts.code = value.code;
    facts.detail = describeError(value);
    return;
  }
  const source = value as Readonly<Record<string, unknown>>;
  for (const name of PARTS) collect(source[name], facts, depth + 1);
  for (const name of FACTS) {
    const fact = source[name];
    if (isPlain(fact)) facts[name] = fact;
  }
}

function isPlain(fact: unknown): boolean {
  if (fact === undefined || fact === null || typeof fact === 'function') return false;
  if (typeof fact !== 'object') return true;
  // The traffic of one direction: messages and bytes.
  return Object.values(fact).every((one) => typeof one === 'number');
}

function sentence(what: string, ...parts: unknown[]): string {
  const known = parts.filter((part) => part !== undefined).map(String);
  return known.length === 0 ? what : `${what}: ${known.join(', ')}`;
}
