/**
 * Owns every option of a proxy, once: type, default, validation, JSON Schema, flag, environment variable and reference
 * row come from here. Refuses hooks and the receiver factory, which only code can give.
 */
import { z } from 'zod';
import { TidegateError } from '../../receivers/errors.js';
import { compression } from './compression.js';
import { choice, count, described, duration, flag, fraction, optionalDuration, optionalSize, size } from './fields.js';
import { listen } from './listen.js';
import { findProblems, formatProblem } from './problems.js';
import { subprotocols, target } from './target-option.js';
import { upstreamTls } from './tls-material.js';

/** How a dead peer is found. */
const heartbeat = described(
  z
    .strictObject({
      /** Time between two pings to a client, and to a WebSocket target. 0 turns the heartbeat off; half-open connections then stay until the system notices. */
      interval: duration({
        description:
          'Time between two pings to a client, and to a WebSocket target. 0 turns the heartbeat off; half-open connections then stay until the system notices.',
        default: '30s',
      }),
      /** How long a ping may stay unanswered before the connection is terminated and reported as 1006. */
      timeout: optionalDuration({
        description: 'How long a ping may stay unanswered before the connection is terminated and reported as 1006.',
        defaultText: 'the interval',
      }),
      /** `always` pings every interval; `if-idle` only a client that sent nothing since the last one. */
      mode: choice(['always', 'if-idle'], {
        description: '`always` pings every interval; `if-idle` only a client that sent nothing since the last one.',
      }),
    })
    .superRefine((value, context) => {
      if (value.timeout !== 0 || value.interval === 0) return;
      const message = 'expected at least 1 ms while the heartbeat is on; `interval: 0` turns it off';
      context.addIssue({ code: 'custom', message, input: 0, path: ['timeout'] });
    })
    .transform((value) => ({ ...value, timeout: value.timeout ?? value.interval }))
    .prefault({}),
  'group',
  { description: 'How a dead peer is found.' },
);

const LOW_WATER_MARK = 16 * 1024;

/** What one server and one connection may use at most. */
const limits = described(
  z
    .strictObject({
      /** Connections at a time; further ones are refused with 503 and Retry-After. 0 = unlimited. */
      maxConnections: count({
        description: 'Connections at a time; further ones are refused with 503 and Retry-After. 0 = unlimited.',
        default: 100_000,
        flag: 'max-connections',
      }),
      /** Request line and headers of a handshake; a larger one is refused with 431. */
      maxHandshakeBytes: size({
        description: 'Request line and headers of a handshake; a larger one is refused with 431.',
        default: '16KiB',
        min: 256,
        flag: 'max-handshake-bytes',
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

/** How long each state that waits may wait. */
const timeouts = described(
  z
    .strictObject({
      /** From the first byte to the decision: the request must arrive and `onUpgradeRequest` answer within it. */
      handshake: duration({
        description:
          'From the first byte to the decision: the request must arrive and `onUpgradeRequest` answer within it.',
        default: '15s',
        min: 1,
        flag: 'handshake-timeout',
      }),
      /** Connecting to the target, with TLS and its handshake; then the client gets 504. */
      dial: duration({
        description: 'Connecting to the target, with TLS and its handshake; then the client gets 504.',
        default: '10s',
        min: 1,
        flag: 'dial-timeout',
      }),
      /** The closing handshake; then the connection is cut. */
      close: duration({
        description: 'The closing handshake; then the connection is cut.',
        default: '10s',
        min: 1,
        flag: 'close-timeout',
      }),
      /** How long a connection may carry nothing either way before it is closed with 1001. 0 = for ever. */
      idle: duration({
        description: 'How long a connection may carry nothing either way before it is closed with 1001. 0 = for ever.',
        default: 0,
        flag: 'idle-timeout',
      }),
      /** How long a connection may live at all before it is closed with 1001. 0 = for ever. */
      lifetime: duration({
        description: 'How long a connection may live at all before it is closed with 1001. 0 = for ever.',
        default: 0,
        flag: 'lifetime',
      }),
      /** The share of the lifetime that is taken off at random, so that connections do not all end at once. */
      lifetimeJitter: fraction({
        description:
          'The share of the lifetime that is taken off at random, so that connections do not all end at once.',
        default: 0.1,
        flag: 'lifetime-jitter',
      }),
      /** How long a peer may read nothing while data waits for it before it is closed with 1008. */
      writeStall: duration({
        description: 'How long a peer may read nothing while data waits for it before it is closed with 1008.',
        default: '60s',
        min: 1,
        flag: 'write-stall-timeout',
      }),
      /** How long stopping waits for connections to end before it cuts them. */
      drain: duration({
        description: 'How long stopping waits for connections to end before it cuts them.',
        default: '15s',
        flag: 'drain-timeout',
      }),
      /** How long backpressure must last before it becomes a visible state with `onThrottled`. */
      pressureDwell: duration({
        description: 'How long backpressure must last before it becomes a visible state with `onThrottled`.',
        default: '20ms',
        flag: 'pressure-dwell',
      }),
    })
    .prefault({}),
  'group',
  { description: 'How long each state that waits may wait.' },
);

/** Every option of a proxy that a file, a flag or code can give. */
export const proxyOptionsSchema = z.strictObject({
  /** Where to listen: a port (every interface), `host:port`, `[v6]:port`, an object with `host`, `port` and `tls`, or a list of those. Port 0 takes any free one. */
  listen: listen({
    description:
      'Where to listen: a port (every interface), `host:port`, `[v6]:port`, an object with `host`, `port` and `tls`, or a list of those. Port 0 takes any free one.',
    default: '127.0.0.1:8080',
    placeholder: '<host:port>',
  }),
  /** Where connections go: `ws://host:port/path`, `wss://…`, `tcp://host:port`, `tls://host:port` or `unix:/path`. */
  target,
  /** Whether the target is reached before the client gets its 101, so that a refusal is a real 502 or 504, or afterwards, so that it is Close 1014. */
  connectUpstream: choice(['before-accept', 'after-accept'], {
    description:
      'Whether the target is reached before the client gets its 101, so that a refusal is a real 502 or 504, or afterwards, so that it is Close 1014.',
  }),
  /** The subprotocols that may be chosen. Left out: any that the client offers. */
  subprotocols,
  /** What happens when the client offered subprotocols and none was chosen: `first` takes its first, `omit` answers without, `reject` refuses with 400. */
  noSubprotocol: choice(['first', 'omit', 'reject'], {
    description:
      'What happens when the client offered subprotocols and none was chosen: `first` takes its first, `omit` answers without, `reject` refuses with 400.',
    // `--no-…` means "off" on a command line.
    flag: 'unmatched-subprotocol',
  }),
  /** How a receiver sees fragmented messages: whole (`buffer`), piece by piece (`fragments`), or `both`. */
  fragments: choice(['buffer', 'fragments', 'both'], {
    description: 'How a receiver sees fragmented messages: whole (`buffer`), piece by piece (`fragments`), or `both`.',
  }),
  /** The type of the messages made from the bytes of a `tcp:`, `tls:` or `unix:` target. */
  frameType: choice(['binary', 'text'], {
    description: 'The type of the messages made from the bytes of a `tcp:`, `tls:` or `unix:` target.',
  }),
  /** Whether a `tcp:`, `tls:` or `unix:` target may end its side and still be sent to. */
  halfClose: flag({
    description: 'Whether a `tcp:`, `tls:` or `unix:` target may end its side and still be sent to.',
    default: false,
  }),
  /** How many connections to a `tcp:` target are kept open ahead of need, so that a client gets one without waiting for a dial. 0 = none. Targets of another kind, and others that a receiver chooses, are dialled when they are needed. */
  warmConnections: count({
    description:
      'How many connections to a `tcp:` target are kept open ahead of need, so that a client gets one without waiting for a dial. 0 = none. Targets of another kind, and others that a receiver chooses, are dialled when they are needed.',
    default: 0,
    max: 10_000,
  }),
  /** permessage-deflate (RFC 7692) where messages are assembled. Elsewhere it is negotiated end to end and needs no option. */
  compression,
  /** How a dead peer is found. */
  heartbeat,
  /** What one server and one connection may use at most. */
  limits,
  /** How long each state that waits may wait. */
  timeouts,
  /** When TCP keep-alive begins on an idle connection, on both sides. 0 = off. */
  keepAlive: duration({
    description: 'When TCP keep-alive begins on an idle connection, on both sides. 0 = off.',
    default: '30s',
  }),
  /** TLS towards a `wss:` or `tls:` target. */
  upstreamTls,
  /** The socket layer: `fast` works below the streams of Node.js, `portable` with its sockets as they are, `auto` is `fast` where that is to be had. TLS is always portable. */
  io: choice(['auto', 'portable', 'fast'], {
    description:
      'The socket layer: `fast` works below the streams of Node.js, `portable` with its sockets as they are, `auto` is `fast` where that is to be had. TLS is always portable.',
  }),
});

/** The options of a proxy after validation: every default filled in, durations in milliseconds, sizes in bytes. */
export type ProxyConfig = z.output<typeof proxyOptionsSchema>;

/** The options of a proxy as they are given; every one may be left out. */
export type ProxyConfigInput = z.input<typeof proxyOptionsSchema>;

/**
 * Validates the options of a proxy and fills in the defaults. Its result is valid input again and resolves to itself.
 *
 * @param libraryOptions names that code may give beside the schema, such as `receiver`; they are left out of the result.
 * @throws TidegateError `INVALID_OPTION` that names every wrong option, the value it got and what would be right.
 */
export function resolveProxyOptions(input: unknown, libraryOptions: readonly string[] = []): ProxyConfig {
  const { value, problems } = findProblems(proxyOptionsSchema, input, { ignore: libraryOptions });
  if (value !== undefined) return value;
  throw new TidegateError('INVALID_OPTION', problems.map((problem) => formatProblem(problem)).join('\n'));
}
