/**
 * Owns every option of a proxy, once: type, default, validation, JSON Schema, flag, environment variable and reference
 * row come from here and from the files of its groups. Refuses hooks and the receiver factory, which only code can give.
 */
import { z } from 'zod';
import { TidegateError } from '../../receivers/errors.js';
import { admin } from './admin.js';
import { admission, forwardedHeader, trustedProxies } from './admission.js';
import { authentication } from './authentication.js';
import { compression } from './compression.js';
import { choice, count, described, duration, flag } from './fields.js';
import { heartbeat } from './heartbeat.js';
import { inspection } from './inspection.js';
import { limits } from './limits.js';
import { listen } from './listen.js';
import { listenerTls } from './listener-tls.js';
import { origins } from './origins.js';
import { outbound } from './outbound.js';
import { findProblems, formatProblem } from './problems.js';
import { recording } from './recording.js';
import { register } from './register.js';
import { socket } from './socket.js';
import { subprotocols, target } from './target-option.js';
import { dialDirect, dialThrough, forwardedHeaders, hostHeader, sendProxyProtocol, targets } from './targets.js';
import { tcpFraming } from './tcp-framing.js';
import { throttle } from './throttle.js';
import { timeouts } from './timeouts.js';
import { tracing } from './tracing.js';
import { upstreamTls } from './upstream-tls.js';
import { watchdog } from './watchdog.js';

const schema = z.strictObject({
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
  /** Which targets a receiver may choose with `accept({ target })`. */
  targets,
  /** The proxy through which targets are dialled: `socks5://[user:password@]host[:port]`, `socks5h://…` when it is to resolve their names, `http://…` or `https://…` (CONNECT). */
  dialThrough,
  /** Targets that are dialled straight in spite of `dialThrough`, in the words of `targets.allow`. */
  dialDirect,
  /** Whether a target is told the address of the client by a PROXY protocol header, before TLS and before the WebSocket handshake: `v1` is a line of text, `v2` also tells what TLS says. The target has to expect it. */
  sendProxyProtocol,
  /** How a WebSocket target is told about the client: `X-Forwarded-For`, `-Proto`, `-Host` and `-Port`, or `Forwarded` (RFC 7239). What the client itself sent of them is overwritten, unless it is a trusted proxy. With `off` it passes as it is, for the target to distrust. */
  forwardedHeaders,
  /** The `Host` that a WebSocket target is asked for: its own, or what the client asked for. */
  hostHeader,
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
  /** The origins of the pages that may connect: `https://host`, with `:*` for any port or `*.` before the host, `/…/` for a regular expression, `same-origin`, `null` or `*`. Left out: the own origin where browsers add credentials by themselves (cookie, Basic, client certificate, an unknown scheme), else any. */
  origins,
  /** Whether a client that sends no Origin, which no browser is, is refused. */
  requireOrigin: flag({
    description: 'Whether a client that sends no Origin, which no browser is, is refused.',
    default: false,
  }),
  /** How clients show who they are. */
  authentication,
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
  /** Who may connect, and how fast. */
  admission,
  /** The proxies in front of this server, as addresses, ranges or the words of `admission.allow`: what they tell about the client is believed. From anyone else it is ignored. */
  trustedProxies,
  /** The header in which the trusted proxies tell who the client is; the other one is ignored, since a proxy passes on what it does not write itself. `none`: only by the PROXY protocol. */
  forwardedHeader,
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
  /** What is done about a listener that died or does not answer. */
  watchdog,
  /** Listening sockets, and what they accept. An object in `listen` may have each of these for itself. */
  socket,
  /** TLS towards a `wss:` or `tls:` target. */
  upstreamTls,
  /** How a server registers itself with balancers, as a backend of theirs. */
  register,
  /** The admin API and the dashboard, for who runs the server. */
  admin,
  /** What is kept so that it can be looked at. */
  inspection,
  /** Recording connections to files, to look at or to play again. */
  recording,
  /** Spans for OpenTelemetry. */
  tracing,
  /** The socket layer: `fast` works below the streams of Node.js, `portable` with its sockets as they are, `auto` is `fast` where that is to be had. TLS is always portable. */
  io: choice(['auto', 'portable', 'fast'], {
    description:
      'The socket layer: `fast` works below the streams of Node.js, `portable` with its sockets as they are, `auto` is `fast` where that is to be had. TLS is always portable.',
  }),
});

/** Finds options that cannot stand together. For every schema that holds those of a proxy. */
export function refuseContradictions(
  {
    warmConnections,
    sendProxyProtocol: header,
  }: Pick<z.output<typeof schema>, 'warmConnections' | 'sendProxyProtocol'>,
  context: z.RefinementCtx,
): void {
  if (warmConnections === 0 || header === 'off') return;
  const message =
    "expected 'off' beside warmConnections: those are opened before there is a client whose address could be told";
  context.addIssue({ code: 'custom', message, input: header, path: ['sendProxyProtocol'] });
}

/** Every option of a proxy that a file, a flag or code can give. */
export const proxyOptionsSchema = schema.superRefine(refuseContradictions);

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
