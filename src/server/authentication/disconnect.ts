/** Owns which connections an operator means by user, tag, id or address, and ends those. Refuses to end all by mistake. */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { operatorEnding } from '../../actors/ending.js';
import type { Registry } from '../../actors/registry.js';
import { CloseCode, isCloseCode, TidegateError } from '../../receivers/index.js';

/** Which connections are meant. At least one; with several, those that all of them fit. */
export interface DisconnectFilter {
  /** The name of the principal. */
  readonly user?: string | undefined;
  /** One of the tags of the principal. */
  readonly tag?: string | undefined;
  /** The id of the connection. */
  readonly id?: string | undefined;
  /** The address of the client, as `request.remoteAddress` has it. */
  readonly address?: string | undefined;
}

/** How they are ended. */
export interface DisconnectOptions {
  /** Default 1008. */
  readonly code?: CloseCode | undefined;
  /** Default `disconnected by the operator`; at most 123 bytes of UTF-8. */
  readonly reason?: string | undefined;
}

/** Ends the connections that are meant (see {@link assertFilter}), those in their handshake with 503, and answers with their number. */
export function disconnect(registry: Registry, filter: DisconnectFilter, options: DisconnectOptions): number {
  const { code = CloseCode.PolicyViolation, reason = 'disconnected by the operator' } = options;
  const meant = [...registry.clients()].filter((connection) => isMeant(connection, filter));
  for (const connection of meant) connection.close(operatorEnding(code, reason));
  return meant.length;
}

/** @throws TidegateError `INVALID_OPTION` for a filter without any part, `INVALID_CLOSE_CODE` for a code that may not be sent. */
export function assertFilter(filter: DisconnectFilter, code: CloseCode = CloseCode.PolicyViolation): void {
  const { user, tag, id, address } = filter;
  if ([user, tag, id, address].every((part) => part === undefined)) {
    throw new TidegateError(
      'INVALID_OPTION',
      'disconnect() takes a user, tag, id or address; disconnectAll() ends all',
    );
  }
  if (isCloseCode(code)) return;
  throw new TidegateError(
    'INVALID_CLOSE_CODE',
    `disconnect(): a Close frame may carry 1000-1003, 1007-1014 or 3000-4999, not ${String(code)}`,
  );
}

function isMeant(connection: ConnectionActor, { user, tag, id, address }: DisconnectFilter): boolean {
  const { principal, request } = connection;
  return (
    (user === undefined || principal?.name === user) &&
    (tag === undefined || principal?.tags?.includes(tag) === true) &&
    (id === undefined || connection.id === id) &&
    (address === undefined || request.remoteAddress === address)
  );
}
