/** Owns what metrics say of how long things take. Refuses to measure. */
import type { Family } from './family.js';

export const timingFamilies: readonly Family[] = [
  {
    name: 'tidegate_handshake_duration_seconds',
    type: 'histogram',
    help: 'From the head of a request to the answer: admission, the receiver, and the dial where that comes first.',
    labels: ['outcome'],
    read: ({ timings }) => [
      [['accepted'], timings.accepted.snapshot()],
      [['refused'], timings.refusedHandshakes.snapshot()],
    ],
  },
  {
    name: 'tidegate_dial_duration_seconds',
    type: 'histogram',
    help: 'From the decision to dial to an open target, or to the end of every attempt; what waits in a queue included.',
    labels: ['outcome'],
    read: ({ timings }) => [
      [['connected'], timings.dialled.snapshot()],
      [['failed'], timings.failedDials.snapshot()],
    ],
  },
  {
    name: 'tidegate_ping_round_trip_seconds',
    type: 'histogram',
    help: 'From a ping of the heartbeat to its pong.',
    labels: ['side'],
    read: ({ timings }) => [
      [['downstream'], timings.roundTrips.downstream.snapshot()],
      [['upstream'], timings.roundTrips.upstream.snapshot()],
    ],
  },
  {
    name: 'tidegate_connection_duration_seconds',
    type: 'histogram',
    help: 'From the 101 to the end, of connections that ended.',
    labels: [],
    read: ({ timings }) => [[[], timings.lives.snapshot()]],
  },
];
