/**
 * Owns every option of a proxy, once: type, default, validation, JSON Schema, flag, environment variable and reference
 * row come from here and from the files of its groups. Refuses hooks and the receiver factory, which only code can give.
 */
import { z } from 'zod';
import { TidegateError } from '../../receivers/errors.js';
import { compression } from './compression.js';
import { choice, count, duration, flag } from './fields.js';
import { heartbeat } from './heartbeat.js';
import { limits } from './limits.js';
import { listen } from './listen.js';
import { outbound } from './outbound.js';
import { findProblems, formatProblem } from './problems.js';
import { subprotocols, target } from './target-option.js';
import { throttle } from './throttle.js';
import { timeouts } from './timeouts.js';
import { upstreamTls } from './tls-material.js';

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
  /** Whether a client and a WebSocket target may agree on permessage-deflate end to end. Its messages pass as they are, so that limits count compressed bytes; without it nothing is compressed there. */
  passCompression: flag({
    description:
      'Whether a client and a WebSocket target may agree on permessage-deflate end to end. Its messages pass as they are, so that limits count compressed bytes; without it nothing is compressed there.',
    default: true,
  }),
  /** How a dead peer is found. */
  heartbeat,
  /** What one server and one connection may use at most. */
  limits,
  /** What becomes of the sends of an application that have to wait. */
  outbound,
  /** How fast each connection may be. A receiver may choose others for one of them. */
  throttle,
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
