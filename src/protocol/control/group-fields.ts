/** Owns what the messages of a group, commands and their results, may hold. Refuses to carry them out. */
import { z } from 'zod';
import { count } from './message-fields.js';

const ID_ERROR = 'expected text of 1 to 256 characters';
const id = z.string({ error: ID_ERROR }).min(1, { error: ID_ERROR }).max(256, { error: ID_ERROR });

const MESSAGE_ERROR = 'expected { "text": … } or { "base64": … }';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const groupMessage = z.union(
  [z.object({ text: z.string() }), z.object({ base64: z.string().regex(BASE64, { error: MESSAGE_ERROR }) })],
  { error: MESSAGE_ERROR },
);

const IDS_ERROR = 'expected a list of at most 10000 ids';
const ids = z.array(id, { error: IDS_ERROR }).max(10_000, { error: IDS_ERROR });

const filter = z.object({
  channel: z.string().max(1024).optional(),
  protocol: z.string().max(1024).optional(),
  include: ids.optional(),
  exclude: ids.optional(),
});

const action = z.discriminatedUnion(
  'verb',
  [
    z.object({ verb: z.literal('broadcast'), message: groupMessage, filter: filter.optional() }),
    z.object({ verb: z.literal('send'), to: id, message: groupMessage }),
    z.object({ verb: z.literal('ping'), payload: z.string().max(125).optional() }),
    z.object({ verb: z.literal('disconnectAll') }),
  ],
  { error: "expected an action whose verb is 'broadcast', 'send', 'ping' or 'disconnectAll'" },
);

/** Something to be done for clients elsewhere. */
export const groupCommand = z.object({
  type: z.literal('command'),
  id,
  origin: id,
  hops: z.int({ error: 'expected a whole number from 0 to 16' }).min(0).max(16),
  action,
});

/** What became of it. */
export const groupResult = z.object({
  type: z.literal('result'),
  id,
  matched: count,
  accepted: count,
  queued: count,
  dropped: count,
  closed: count,
  lost: ids.optional(),
});
