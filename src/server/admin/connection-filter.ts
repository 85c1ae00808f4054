/** Owns which connections are meant by the parameters of a list. Refuses to order or show them. */
import type { StateValue } from 'xstate';
import { z } from 'zod';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { stateIds } from '../observation/state-counts.js';
import { STATE_IDS } from '../observation/state-ids.js';
import { upstreamOf } from './connection-row.js';

const STATES = `expected the id of a state of the chart connection or upstream, such as 'connection.open.outbound.throttled' or 'upstream.dialling'`;
const text = z.string({ error: 'expected text' }).optional();

/** What connections are chosen by; with several, those that all of them fit. */
export const filterShape = {
  /** As in the drawn charts; a state above counts, too. */
  state: z.enum(STATE_IDS, { error: STATES }).optional(),
  /** A part of the id, the address, the user, a tag or the path, in any case. */
  search: text,
  address: text,
  user: text,
  tag: text,
  path: text,
};

/** What connections are chosen by, read. */
export type ConnectionFilter = z.output<z.ZodObject<typeof filterShape>>;

type Test = (connection: ConnectionActor) => boolean;

/** Makes the test whether one is meant. Good for one walk over the connections. */
export function testFor({ state, search, address, user, tag, path }: ConnectionFilter): Test {
  const tests: Test[] = [];
  if (state !== undefined) tests.push(stateTest(state));
  if (address !== undefined) tests.push(({ request }) => request.remoteAddress === address);
  if (user !== undefined) tests.push(({ principal }) => principal?.name === user);
  if (tag !== undefined) tests.push(({ principal }) => principal?.tags?.includes(tag) === true);
  if (path !== undefined) tests.push(({ request }) => request.path === path);
  if (search !== undefined) tests.push(searchTest(search.toLowerCase()));
  return (connection) => tests.every((test) => test(connection));
}

// Actors in the same configuration share the value: it is taken apart once.
function stateTest(state: string): Test {
  const isUpstream = state.startsWith('upstream');
  const chart = isUpstream ? 'upstream' : 'connection';
  const known = new Map<StateValue, boolean>();
  return (connection) => {
    const value = (isUpstream ? upstreamOf(connection) : connection)?.chartValue;
    if (value === undefined) return false;
    let isIn = known.get(value);
    if (isIn === undefined) {
      isIn = stateIds(chart, value).includes(state);
      known.set(value, isIn);
    }
    return isIn;
  };
}

function searchTest(part: string): Test {
  const has = (whole: string | undefined) => whole?.toLowerCase().includes(part) === true;
  return ({ id, request, principal }) =>
    has(id) ||
    has(request.remoteAddress) ||
    has(request.path) ||
    has(principal?.name) ||
    principal?.tags?.some(has) === true;
}
