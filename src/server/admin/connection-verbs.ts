/** Owns what the admin API can be told to do to one connection. Refuses to know HTTP, and what the verbs do. */
import { z } from 'zod';
import { operatorCut, operatorEnding } from '../../actors/ending.js';
import { CloseCode, isCloseCode, type SendResult, TidegateError } from '../../receivers/index.js';
import { RATES } from '../config/fields.js';
import { parseBitRate } from '../config/units.js';
import { readBody } from './admin-input.js';
import type { AdminAnswer, AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';
import { type FoundConnection, findConnection, ONE_CONNECTION } from './connection-routes.js';

const CODE = 'expected a code that a Close frame may carry: 1000-1003, 1007-1014 or 3000-4999';

const nothing = z.strictObject({});

const closing = z.strictObject({
  code: z.int({ error: CODE }).refine(isCloseCode, { error: CODE }).default(CloseCode.Normal),
  reason: z.string({ error: 'expected text' }).default('closed by the operator'),
});

const message = z.strictObject({
  text: z.string({ error: 'expected text' }).optional(),
  base64: z.base64({ error: 'expected bytes in base64' }).optional(),
});

const rate = z
  .union([z.number(), z.string()], { error: `expected ${RATES}` })
  .refine((value) => parseBitRate(value) !== undefined, { error: `expected ${RATES}` })
  .optional();

const rates = z.strictObject({ read: rate, write: rate });

/** The routes that do something to a connection of one server. */
export function connectionVerbs(server: Administration): AdminRoute[] {
  const verb = <Body>(
    name: string,
    schema: z.ZodObject & z.ZodType<Body>,
    carryOut: (found: FoundConnection, body: Body) => AdminAnswer,
  ): AdminRoute => ({
    method: 'POST',
    path: `${ONE_CONNECTION}/${name}`,
    query: [],
    // The body is judged first: what is wrong with it is so for every connection.
    answer: (request) => {
      const body = readBody(schema, request.body) as Body;
      return carryOut(findConnection(server, request), body);
    },
  });
  return [
    verb('close', closing, (found, { code, reason }) => {
      found.connection.close(operatorEnding(code as CloseCode, reason));
      return stateOf(found, 202);
    }),
    verb('terminate', nothing, (found) => {
      found.connection.requestTerminate(operatorCut);
      return stateOf(found, 200);
    }),
    verb('ping', nothing, (found) => sent(found, 'ping', found.connection.handle.ping())),
    verb('send', message, (found, { text, base64 }) => {
      const bytes = base64 === undefined ? undefined : Buffer.from(base64, 'base64');
      if ((text === undefined) === (bytes === undefined)) {
        throw new TidegateError('ADMIN_BAD_REQUEST', 'the body: expected either "text" or "base64"');
      }
      refuseControl(found, 'send');
      return sent(found, 'send', found.connection.handle.send(text ?? bytes ?? ''));
    }),
    verb('throttle', rates, (found, limits) => {
      if (limits.read === undefined && limits.write === undefined) {
        throw new TidegateError('ADMIN_BAD_REQUEST', 'the body: expected "read", "write" or both');
      }
      refuseControl(found, 'throttle');
      if (!found.connection.gate) throw notOpen(found, 'throttle');
      found.connection.handle.limitRate(limits);
      return stateOf(found, 200);
    }),
  ];
}

function stateOf({ connection: { id, state } }: FoundConnection, status: number): AdminAnswer {
  return { status, body: { id, state } };
}

function sent(found: FoundConnection, verb: string, result: SendResult): AdminAnswer {
  if (result === 'closed') throw notOpen(found, verb);
  const { id, state } = found.connection;
  return { status: 200, body: { id, state, result } };
}

function notOpen({ connection: { id, state } }: FoundConnection, verb: string): TidegateError {
  return new TidegateError('CONNECTION_NOT_OPEN', `${verb}: the connection ${JSON.stringify(id)} is ${state}`);
}

/** What is said on a control channel is a protocol of its own. */
function refuseControl({ connection, parts }: FoundConnection, verb: string): void {
  if (!parts.supervisor.registry.isControl(connection)) return;
  const text = `${verb}: ${JSON.stringify(connection.id)} is the control channel of a backend`;
  throw new TidegateError('CONTROL_CHANNEL', text);
}
