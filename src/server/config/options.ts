/**
 * Owns every option of a proxy, once: type, default, validation, JSON Schema, flag, environment variable and reference
 * row come from here and from the files of its groups. Refuses hooks and the receiver factory, which only code can give.
 */
import { z } from 'zod';
import { TidegateError } from '../../receivers/errors.js';
import { admission, forwardedHeader, trustedProxies } from './admission.js';
import { compression } from './compression.js';
import { choice, count, described, duration, flag } from './fields.js';
import { heartbeat } from './heartbeat.js';
import { limits } from './limits.js';
import { listen } from './listen.js';
import { listenerTls } from './listener-tls.js';
import { findProblems, formatProblem } from './problems.js';
import { socket } from './socket.js';
import { subprotocols, target } from './target-option.js';
import { tcpFraming } from './tcp-framing.js';
import { timeouts } from './timeouts.js';
import { upstreamTls } from './tls-material.js';
import { watchdog } from './watchdog.js';

/** Every option of a proxy that a file, a flag or code can give. */
export const proxyOptionsSchema = z.strictObject({
  /** Where to listen: a port (every interface), `host:port`, `[v6]:port`, an object with `host`, `port` and `tls`, or a list of those. Port 0 takes any free one. */
  listen: listen({
    description:
      'Where to listen: a port (every interface), `host:port`, `[v6]:port`, an object with `host`, `port` and `tls`, or a list of those. Port 0 takes any free one.',
    default: '127.0.0.1:8080',
    placeholder: '<host:port>',
  }),
  /** TLS of every listener that says nothing about it: with a certificate they speak `wss:`. A listener of its own mind has a `tls` of the same kind in `listen`, or false. */
  tls: described(listenerTls.optional(), 'group', {
    description:
      'TLS of every listener that says nothing about it: with a certificate they speak `wss:`. A listener of its own mind has a `tls` of the same kind in `listen`, or false.',
    defaultText: 'none',
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
  /** Whether a side that speaks plain bytes may end its direction and still be sent to: a `tcp:`, `tls:` or `unix:` target, and a plain TCP client of one. */
  halfClose: flag({
    description:
      'Whether a side that speaks plain bytes may end its direction and still be sent to: a `tcp:`, `tls:` or `unix:` target, and a plain TCP client of one.',
    default: false,
  }),
  /** How the bytes of clients that speak plain TCP become messages. Left out: each piece that comes is one, and nothing is put behind what is sent. */
  tcpFraming,
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
  /** Who may connect, and how fast. */
  admission,
  /** The proxies in front of this server, as addresses, ranges or `loopback`, `private`: what they tell about the client is believed. From anyone else it is ignored. */
  trustedProxies,
  /** The header in which the trusted proxies tell who the client is; the other one is ignored, since a proxy passes on what it does not write itself. `none`: only by the PROXY protocol. */
  forwardedHeader,
  /** What one server and one connection may use at most. */
  limits,
  /** How long each state that waits may wait. */
  timeouts,
  /** When TCP keep-alive begins on an idle connection, on both sides. 0 = off. */
  keepAlive: duration({
    description: 'When TCP keep-alive begins on an idle connection, on both sides. 0 = off.',
    default: '30s',
  }),
  /** Listening sockets, and what they accept. An object in `listen` may have each of these for itself. */
  socket,
  /** What is done about a listener that died or does not answer. */
  watchdog,
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
