/** Owns what the admin API answers about connections. Refuses to know HTTP, and how they are chosen and shown. */
import { z } from 'zod';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { TidegateError } from '../../receivers/index.js';
import type { ObservedParts } from '../observation/onlooker.js';
import { readQuery } from './admin-input.js';
import type { AdminRequest, AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';
import { filterShape, testFor } from './connection-filter.js';
import { pageOf, pageShape } from './connection-page.js';
import { detailOf, endDetailOf, rowOf } from './connection-row.js';

/** Where connections are. */
export const CONNECTIONS = '/api/v1/connections';

/** Where one of them is. */
export const ONE_CONNECTION = `${CONNECTIONS}/{id}`;

const listQuery = z.strictObject({ ...filterShape, ...pageShape });

/** The routes that tell about the connections of one server. */
export function connectionRoutes(server: Administration): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: CONNECTIONS,
      query: Object.keys(listQuery.shape),
      answer: ({ query }) => ({ status: 200, body: listOf(server, query) }),
    },
    {
      method: 'GET',
      path: ONE_CONNECTION,
      query: [],
      answer: (request) => {
        const ended = server.observation.ends.find(request.params.id!);
        if (ended !== undefined) return { status: 200, body: endDetailOf(ended) };
        const { connection, parts } = findConnection(server, request);
        return { status: 200, body: detailOf(connection, parts) };
      },
    },
  ];
}

/** A connection, and the parts of the server it is of. */
export interface FoundConnection {
  readonly connection: ConnectionActor;
  readonly parts: ObservedParts;
}

/** @throws TidegateError `UNKNOWN_CONNECTION` for an id that no connection has. */
export function findConnection({ observation }: Administration, { params }: AdminRequest): FoundConnection {
  const { parts } = observation;
  const connection = parts?.supervisor.registry.get(params.id!);
  if (parts !== undefined && connection !== undefined) return { connection, parts };
  throw new TidegateError('UNKNOWN_CONNECTION', `there is no connection ${JSON.stringify(params.id)}`);
}

function listOf({ observation }: Administration, query: URLSearchParams): object {
  const asked = readQuery(listQuery, query);
  const { parts } = observation;
  if (parts === undefined) return { connections: [], matched: 0 };
  const { connections, matched, next } = pageOf(parts.supervisor.registry.all(), testFor(asked), asked);
  return { connections: connections.map((connection) => rowOf(connection, parts)), matched, next };
}
