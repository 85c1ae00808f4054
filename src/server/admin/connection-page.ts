/**
 * Owns which connections are on a page of a list, in which order, and where the next page begins. A page begins behind a place and not
 * behind a number of rows, so that nobody is left out or told twice because others came or went. Refuses to show them.
 */
import { z } from 'zod';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { TidegateError, type Traffic } from '../../receivers/index.js';

/** What a list can be ordered by. */
const KEYS = {
  /** One in its handshake is newer than all. */
  openedAt: ({ openedAt }: ConnectionActor) => openedAt ?? Number.POSITIVE_INFINITY,
  bytes: (connection: ConnectionActor) => total(connection, 'bytes'),
  messages: (connection: ConnectionActor) => total(connection, 'messages'),
  bufferedBytes: ({ port }: ConnectionActor) => port.bufferedBytes,
  /** One that has answered no ping yet is less than all. */
  roundTripMs: ({ port }: ConnectionActor) => port.roundTripMs ?? -1,
  id: () => 0,
};

type SortKey = keyof typeof KEYS;

const SORTS = Object.keys(KEYS) as [SortKey, ...SortKey[]];
const MAX_LIMIT = 1000;
const LIMIT = `expected a whole number from 1 to ${MAX_LIMIT}`;

/** What says which page is meant. */
export const pageShape = {
  sort: z.enum(SORTS, { error: `expected one of ${SORTS.join(', ')}` }).default('openedAt'),
  /** Default: `asc` for `id`; else the newest, the busiest, the slowest first. */
  order: z.enum(['asc', 'desc'], { error: `expected 'asc' or 'desc'` }).optional(),
  limit: z
    .string()
    .regex(/^\d{1,4}$/, { error: LIMIT, abort: true })
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= MAX_LIMIT, { error: LIMIT })
    .default(50),
  /** The `next` of the page before. */
  cursor: z.string().optional(),
};

/** Which page is meant, read. */
export type PageQuery = z.output<z.ZodObject<typeof pageShape>>;

/** A page of a list. */
export interface ConnectionPage {
  readonly connections: readonly ConnectionActor[];
  /** How many fit the filter, on all pages. */
  readonly matched: number;
  /** Where the next page begins; undefined on the last one. */
  readonly next: string | undefined;
}

/** The place of a connection in the order. */
interface Place {
  readonly key: number;
  readonly id: string;
}

interface Row extends Place {
  readonly connection: ConnectionActor;
}

/**
 * Takes one page out of all connections, in one walk that holds little more than the page.
 *
 * @throws TidegateError `ADMIN_BAD_REQUEST` for a cursor of another order, or of nobody.
 */
export function pageOf(
  all: Iterable<ConnectionActor>,
  isMeant: (connection: ConnectionActor) => boolean,
  { sort, order = sort === 'id' ? 'asc' : 'desc', limit, cursor }: PageQuery,
): ConnectionPage {
  const after = cursor === undefined ? undefined : readCursor(cursor, sort, order);
  const direction = order === 'asc' ? 1 : -1;
  const compare = (a: Place, b: Place) => direction * (compareKeys(a.key, b.key) || compareIds(a.id, b.id));
  const keyOf = KEYS[sort];
  let matched = 0;
  let rows: Row[] = [];
  /** Whoever comes behind this one is not on the page. */
  let bound: Place | undefined;
  for (const connection of all) {
    if (!isMeant(connection)) continue;
    matched += 1;
    const row: Row = { key: keyOf(connection), id: connection.id, connection };
    if (after !== undefined && compare(row, after) <= 0) continue;
    if (bound !== undefined && compare(row, bound) > 0) continue;
    rows.push(row);
    if (rows.length < 2 * limit + 64) continue;
    // One more than the page tells whether there is another one.
    rows = rows.sort(compare).slice(0, limit + 1);
    bound = rows.at(-1);
  }
  rows.sort(compare);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    connections: page.map(({ connection }) => connection),
    matched,
    next: rows.length > limit && last !== undefined ? writeCursor(last, sort, order) : undefined,
  };
}

function total({ port }: ConnectionActor, what: keyof Traffic): number {
  return port.received[what] + port.sent[what];
}

function compareKeys(a: number, b: number): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `conn-2` stands before `conn-10`: the order in which they came. */
function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const cursorSchema = z.tuple([z.enum(SORTS), z.enum(['asc', 'desc']), z.number().nullable(), z.string()]);

// Infinity has no word in JSON.
function writeCursor({ key, id }: Place, sort: SortKey, order: string): string {
  return Buffer.from(JSON.stringify([sort, order, Number.isFinite(key) ? key : null, id])).toString('base64url');
}

function readCursor(text: string, sort: SortKey, order: string): Place {
  const [ownSort, ownOrder, key, id] = parsed(text) ?? [];
  if (ownSort === sort && ownOrder === order && id !== undefined) return { key: key ?? Number.POSITIVE_INFINITY, id };
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
  const message = `cursor: got ${shown}; expected the "next" of an answer with the same sort and order`;
  throw new TidegateError('ADMIN_BAD_REQUEST', message);
}

function parsed(text: string): z.output<typeof cursorSchema> | undefined {
  try {
    return cursorSchema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString())).data;
  } catch {
    return undefined;
  }
}
