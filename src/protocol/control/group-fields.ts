/** Owns what the messages of a group, commands and their results, may hold. Refuses to carry them out. */
import { z } from 'zod';
import { count } from './message-fields.js';

const ID_ERROR = 'expected text of 1 to 256 characters';
/** Of a command, of a member of a group, or of a connection. */
export const groupId = z.string({ error: ID_ERROR }).min(1, { error: ID_ERROR }).max(256, { error: ID_ERROR });

const MESSAGE_ERROR = 'expected { "text": … } or { "base64": … }';
const groupMessage = z.union(
  [z.object({ text: z.string() }), z.object({ base64: z.string().refine(isBase64, { error: MESSAGE_ERROR }) })],
  { error: MESSAGE_ERROR },
);

/** Not by one expression for all of it: that would need a place on the stack for each four characters, which are millions. */
function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  return !/[^A-Za-z0-9+/]/.test(padding === 0 ? text : text.slice(0, -padding));
}

const IDS_ERROR = 'expected a list of at most 10000 ids';
const ids = z.array(groupId, { error: IDS_ERROR }).max(10_000, { error: IDS_ERROR });

/** Which clients are meant. */
export const groupFilter = z.object({
  channel: z.string().max(1024).optional(),
  protocol: z.string().max(1024).optional(),
  include: ids.optional(),
  exclude: ids.optional(),
});

const action = z.discriminatedUnion(
  'verb',
  [
    z.object({ verb: z.literal('broadcast'), message: groupMessage, filter: groupFilter.optional() }),
    z.object({ verb: z.literal('send'), to: groupId, message: groupMessage }),
    z.object({ verb: z.literal('ping'), payload: z.string().max(125).optional() }),
    z.object({ verb: z.literal('disconnectAll') }),
  ],
  { error: "expected an action whose verb is 'broadcast', 'send', 'ping' or 'disconnectAll'" },
);

/** Something to be done for clients elsewhere. */
export const groupCommand = z.object({
  type: z.literal('command'),
  id: groupId,
  origin: groupId,
  epoch: groupId,
  sequence: z.int().min(0),
  hops: z.int({ error: 'expected a whole number from 0 to 16' }).min(0).max(16),
  waitMs: count,
  action,
});

/** What became of it. */
export const groupResult = z.object({
  type: z.literal('result'),
  id: groupId,
  matched: count,
  accepted: count,
  queued: count,
  dropped: count,
  closed: count,
  reached: ids,
  lost: ids,
});
