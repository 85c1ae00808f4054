/** Owns what metrics say of connections: where they are, how they began and how they ended. Refuses to count them. */
import { connectionMachine } from '../../../actors/connection.machine.js';
import { upstreamMachine } from '../../../actors/upstream.machine.js';
import { exclusiveStates, regionStates } from './chart-states.js';
import type { Family, Row } from './family.js';
import { boundedValues } from './label-values.js';
import type { ServerReading } from './reading.js';

/** Policies have the names that an operator gave them; there are never many. */
const MOST_POLICIES = 50;

const OF_CONNECTION = exclusiveStates(connectionMachine);
const OF_UPSTREAM = exclusiveStates(upstreamMachine);
const OF_OPEN_CONNECTION = regionStates(connectionMachine);
const OF_OPEN_UPSTREAM = regionStates(upstreamMachine);

export const connectionFamilies: readonly Family[] = [
  {
    name: 'tidegate_connections',
    type: 'gauge',
    help: 'Connections of clients there are now, by state of the statechart "connection"; each is in one of them.',
    labels: ['state'],
    read: ({ states }) => OF_CONNECTION.map(({ name, id }) => [[name], states[id] ?? 0]),
  },
  {
    name: 'tidegate_open_connections',
    type: 'gauge',
    help: 'Open connections, by region of the statechart and state in it; each is in one state of every region.',
    labels: ['region', 'state'],
    read: ({ states }) => OF_OPEN_CONNECTION.map(({ region, state, id }) => [[region, state], states[id] ?? 0]),
  },
  {
    name: 'tidegate_upstreams',
    type: 'gauge',
    help: 'Connections to targets there are now, by state of the statechart "upstream"; each is in one of them.',
    labels: ['state'],
    read: ({ states }) => OF_UPSTREAM.map(({ name, id }) => [[name], states[id] ?? 0]),
  },
  {
    name: 'tidegate_open_upstreams',
    type: 'gauge',
    help: 'Open connections to targets, by region of the statechart and state in it.',
    labels: ['region', 'state'],
    read: ({ states }) => OF_OPEN_UPSTREAM.map(({ region, state, id }) => [[region, state], states[id] ?? 0]),
  },
  {
    name: 'tidegate_connections_opened_total',
    type: 'counter',
    help: 'Handshakes that were accepted.',
    labels: [],
    read: ({ totals }) => [[[], totals.opened]],
  },
  {
    name: 'tidegate_connections_closed_total',
    type: 'counter',
    help: 'Connections that ended, by who began it, why, and the code that onClosed was told; codes of applications as 3xxx and 4xxx.',
    labels: ['initiator', 'cause', 'code'],
    read: ({ totals }) =>
      totals.closes.map(({ initiator, cause, status, count }) => [[initiator, cause, codeText(status)], count]),
  },
  {
    name: 'tidegate_refusals_total',
    type: 'counter',
    help: 'Connections, handshakes and messages that were refused, by the code of the error (docs/reference/errors.md).',
    labels: ['reason'],
    read: ({ refusals }) => Object.entries(refusals.byError).map(([reason, count]): Row => [[reason], count]),
  },
  {
    name: 'tidegate_policy_refusals_total',
    type: 'counter',
    help: 'Those of the refusals that an admission policy made, by its name.',
    labels: ['policy'],
    read: policyRefusals,
  },
  {
    name: 'tidegate_bans',
    type: 'gauge',
    help: 'Addresses that are kept out now.',
    labels: [],
    read: ({ bans }) => [[[], bans]],
  },
  {
    name: 'tidegate_exceptions_total',
    type: 'counter',
    help: 'Callbacks of receivers, hooks and listeners of events that threw or rejected.',
    labels: [],
    read: ({ totals }) => [[[], totals.exceptions]],
  },
];

function* policyRefusals({ refusals }: ServerReading): Iterable<Row> {
  const policies = Object.entries(refusals.byPolicy);
  for (const [policy, group] of boundedValues(policies, ([name]) => name, MOST_POLICIES)) {
    yield [[policy], group.reduce((sum, [, count]) => sum + count, 0)];
  }
}

function codeText(status: number): string {
  return status < 3000 ? String(status) : `${Math.floor(status / 1000)}xxx`;
}
