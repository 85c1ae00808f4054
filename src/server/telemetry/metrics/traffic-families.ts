/** Owns what metrics say of what connections carry and hold. Refuses to count it: the data paths and charts do. */
import type { SideSum, TrafficSum } from '../../../actors/pair-sums.js';
import type { Family, Row } from './family.js';
import type { ServerReading } from './reading.js';

const SIDES = ['downstream', 'upstream'] as const;
const SIDE = 'Side "downstream" is clients, "upstream" targets; received from it or sent to it.';

export const trafficFamilies: readonly Family[] = [
  {
    name: 'tidegate_messages_total',
    type: 'counter',
    help: `Whole messages. ${SIDE} None of targets that speak plain bytes.`,
    labels: ['side', 'direction'],
    read: (reading) => eachWay(reading, ({ messages }) => messages),
  },
  {
    name: 'tidegate_payload_bytes_total',
    type: 'counter',
    help: `Bytes of payload: without the headers of frames, and without TLS. ${SIDE}`,
    labels: ['side', 'direction'],
    read: (reading) => eachWay(reading, ({ bytes }) => bytes),
  },
  {
    name: 'tidegate_frames_total',
    type: 'counter',
    help: `WebSocket frames, of data or of control (close, ping, pong). ${SIDE}`,
    labels: ['side', 'direction', 'type'],
    read: frames,
  },
  {
    name: 'tidegate_dropped_messages_total',
    type: 'counter',
    help: 'Messages of the application that were dropped because too much waited, or by clearQueue.',
    labels: [],
    read: ({ totals }) => [[[], totals.sums.dropped]],
  },
  {
    name: 'tidegate_undelivered_bytes_total',
    type: 'counter',
    help: 'Bytes that were accepted for clients that were gone before they could be written.',
    labels: [],
    read: ({ totals }) => [[[], totals.undeliveredBytes]],
  },
  {
    name: 'tidegate_buffered_bytes',
    type: 'gauge',
    help: 'Bytes accepted for clients or targets and not with the operating system yet.',
    labels: ['side'],
    read: (reading) => eachSide(reading, ({ bufferedBytes }) => bufferedBytes),
  },
  {
    name: 'tidegate_held_bytes',
    type: 'gauge',
    help: 'Bytes held for all connections together, as limits.maxHeldBytes bounds them.',
    labels: [],
    read: ({ heldBytes }) => [[[], heldBytes]],
  },
  {
    name: 'tidegate_throttles_total',
    type: 'counter',
    help: 'How often a side did not take what is sent to it for so long that its chart became "throttled".',
    labels: ['side'],
    read: ({ throttles }) => SIDES.map((side) => [[side], throttles[side].episodes]),
  },
  {
    name: 'tidegate_throttled_seconds_total',
    type: 'counter',
    help: 'How long sides were throttled, added up over all connections, those that are throttled now included.',
    labels: ['side'],
    read: ({ throttles }) => SIDES.map((side) => [[side], throttles[side].seconds]),
  },
];

function* frames({ totals }: ServerReading): Iterable<Row> {
  for (const side of SIDES) {
    for (const direction of ['received', 'sent'] as const) {
      const { messages, fragments, controls } = totals.sums[side][direction];
      yield [[side, direction, 'data'], messages + fragments];
      yield [[side, direction, 'control'], controls];
    }
  }
}

function* eachWay({ totals }: ServerReading, numberOf: (traffic: TrafficSum) => number): Iterable<Row> {
  for (const side of SIDES) {
    const { received, sent } = totals.sums[side];
    yield [[side, 'received'], numberOf(received)];
    yield [[side, 'sent'], numberOf(sent)];
  }
}

function eachSide({ totals }: ServerReading, numberOf: (side: SideSum) => number): Row[] {
  return SIDES.map((side) => [[side], numberOf(totals.sums[side])]);
}
