/** Owns the options that bound what one server and one connection may use. Refuses to hold anyone to them. */
import { z } from 'zod';
import { choice, count, described, duration, optionalSize, size } from './fields.js';

const LOW_WATER_MARK = 16 * 1024;

/** What one server and one connection may use at most. */
export const limits = described(
  z
    .strictObject({
      /** Connections at a time; further ones are refused with 503 and Retry-After. 0 = unlimited. */
      maxConnections: count({
        description: 'Connections at a time; further ones are refused with 503 and Retry-After. 0 = unlimited.',
        default: 100_000,
        flag: 'max-connections',
      }),
      /** Of `maxConnections`, so many are kept for listeners with the role `control`. */
      reservedConnections: count({
        description: 'Of `maxConnections`, so many are kept for listeners with the role `control`.',
        default: 0,
        flag: 'reserved-connections',
      }),
      /** What becomes of connections beyond `maxConnections`: `refuse` answers 503 with Retry-After, `pause` leaves them unread until one closes, for at most `timeouts.handshake`. */
      overflow: choice(['refuse', 'pause'], {
        description:
          'What becomes of connections beyond `maxConnections`: `refuse` answers 503 with Retry-After, `pause` leaves them unread until one closes, for at most `timeouts.handshake`.',
        flag: 'overflow',
      }),
      /** Connections of one address, or of one /64 network of IPv6, at a time; further ones get 503. 0 = unlimited. `admission.exempt` has none of it. */
      maxConnectionsPerAddress: count({
        description:
          'Connections of one address, or of one /64 network of IPv6, at a time; further ones get 503. 0 = unlimited. `admission.exempt` has none of it.',
        default: 10_000,
        flag: 'max-connections-per-address',
      }),
      /** Connections of one authenticated user at a time; further ones get 503. 0 = unlimited: many devices may share a user. */
      maxConnectionsPerUser: count({
        description:
          'Connections of one authenticated user at a time; further ones get 503. 0 = unlimited: many devices may share a user.',
        default: 0,
        flag: 'max-connections-per-user',
      }),
      /** Connections of one listener whose request is awaited; one more cuts the one that waits for the longest time. 0 = unlimited. */
      maxPendingHandshakes: count({
        description:
          'Connections of one listener whose request is awaited; one more cuts the one that waits for the longest time. 0 = unlimited.',
        default: 10_000,
        flag: 'max-pending-handshakes',
      }),
      /** Request line and headers of a handshake; a larger one is refused with 431. */
      maxHandshakeBytes: size({
        description: 'Request line and headers of a handshake; a larger one is refused with 431.',
        default: '16KiB',
        min: 256,
        flag: 'max-handshake-bytes',
      }),
      /** Header fields of a handshake; one with more is refused with 431. */
      maxHeaderCount: count({
        description: 'Header fields of a handshake; one with more is refused with 431.',
        default: 100,
        min: 8,
        flag: 'max-header-count',
      }),
      /** One message; a larger one closes its connection with 1009. 0 = unlimited. */
      maxMessageBytes: size({
        description: 'One message; a larger one closes its connection with 1009. 0 = unlimited.',
        default: '64MiB',
        flag: 'max-message-bytes',
      }),
      /** Fragments of one message; one more closes its connection with 1008. 0 = unlimited. */
      maxFragments: count({
        description: 'Fragments of one message; one more closes its connection with 1008. 0 = unlimited.',
        default: 16_384,
        flag: 'max-fragments',
      }),
      /** Messages a second that a client may send; fragments, pings and pongs count as well. Whoever sends more is read more slowly. 0 = any number. */
      messagesPerSecond: count({
        description:
          'Messages a second that a client may send; fragments, pings and pongs count as well. Whoever sends more is read more slowly. 0 = any number.',
        default: 0,
        flag: 'messages-per-second',
      }),
      /** Bytes a second that a client may send, counted on the wire. Whoever sends more is read more slowly. 0 = any number. */
      bytesPerSecond: size({
        description:
          'Bytes a second that a client may send, counted on the wire. Whoever sends more is read more slowly. 0 = any number.',
        default: 0,
        flag: 'bytes-per-second',
      }),
      /** How much may come at once: as many messages or bytes as are allowed in this time. */
      floodBurst: duration({
        description: 'How much may come at once: as many messages or bytes as are allowed in this time.',
        default: '1s',
        flag: 'flood-burst',
      }),
      /** How long a client that sends more than `messagesPerSecond` or `bytesPerSecond` is held back before it is closed with 1008. */
      floodGrace: duration({
        description:
          'How long a client that sends more than `messagesPerSecond` or `bytesPerSecond` is held back before it is closed with 1008.',
        default: '5s',
        min: 1,
        flag: 'flood-grace',
      }),
      /** Bytes waiting for a peer above which its sender is paused and the connection is throttled. What is passed on by the fast socket layer pauses its sender as soon as anything waits. */
      highWaterMark: size({
        description:
          'Bytes waiting for a peer above which its sender is paused and the connection is throttled. What is passed on by the fast socket layer pauses its sender as soon as anything waits.',
        default: '64KiB',
        min: 1,
        flag: 'high-water-mark',
      }),
      /** Bytes waiting below which the sender goes on. At most the high water mark. */
      lowWaterMark: optionalSize({
        description: 'Bytes waiting below which the sender goes on. At most the high water mark.',
        defaultText: '16KiB, or the high water mark when that is lower',
        flag: 'low-water-mark',
      }),
      /** Bytes that may wait for one client before a message that is sent to it is dropped whole. */
      maxQueuedBytes: size({
        description: 'Bytes that may wait for one client before a message that is sent to it is dropped whole.',
        default: '16MiB',
        flag: 'max-queued-bytes',
      }),
      /** Bytes that may be held for all connections together. Beyond it new ones are refused with 503, and the slowest are closed with 1013. 0 = unlimited. */
      maxHeldBytes: size({
        description:
          'Bytes that may be held for all connections together. Beyond it new ones are refused with 503, and the slowest are closed with 1013. 0 = unlimited.',
        default: '1GiB',
        flag: 'max-held-bytes',
      }),
      /** Messages of one connection that may wait for a callback that returned a promise, before reading pauses. */
      maxPendingMessages: count({
        description:
          'Messages of one connection that may wait for a callback that returned a promise, before reading pauses.',
        default: 16,
        min: 1,
        flag: 'max-pending-messages',
      }),
      /** Targets being dialled at a time; further clients wait their turn within the dial timeout. */
      maxConcurrentDials: count({
        description: 'Targets being dialled at a time; further clients wait their turn within the dial timeout.',
        default: 256,
        min: 1,
        flag: 'max-concurrent-dials',
      }),
      /** How many clients a second `disconnectAll` and a drain send away, so that they do not all come back at once. */
      disconnectsPerSecond: count({
        description:
          'How many clients a second `disconnectAll` and a drain send away, so that they do not all come back at once.',
        default: 2000,
        min: 1,
        flag: 'disconnects-per-second',
      }),
    })
    .superRefine(({ maxConnections, reservedConnections }, context) => {
      if (reservedConnections === 0 || maxConnections === 0 || reservedConnections < maxConnections) return;
      const message = `expected less than limits.maxConnections, which is ${maxConnections}`;
      context.addIssue({ code: 'custom', message, input: reservedConnections, path: ['reservedConnections'] });
    })
    .superRefine(({ lowWaterMark, highWaterMark }, context) => {
      if (lowWaterMark === undefined || lowWaterMark <= highWaterMark) return;
      const message = `expected at most limits.highWaterMark, which is ${highWaterMark} bytes`;
      context.addIssue({ code: 'custom', message, input: lowWaterMark, path: ['lowWaterMark'] });
    })
    .transform((value) => ({
      ...value,
      lowWaterMark: value.lowWaterMark ?? Math.min(LOW_WATER_MARK, value.highWaterMark),
    }))
    .prefault({}),
  'group',
  { description: 'What one server and one connection may use at most.' },
);
