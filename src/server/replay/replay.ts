/** Owns connecting what a recording is played on: to a target, as its client, or to a client, as its target. Refuses to play. */
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { describeError, TidegateError } from '../../receivers/index.js';
import { BLOT } from '../recording/format.js';
import type { Recording } from '../recording/read-recording.js';
import { play, type ReplayOptions, type ReplayReport } from './play.js';
import { type ReplayPeer, TcpReplayPeer, WebSocketReplayPeer } from './replay-peer.js';

/** How a recording is played as its client. */
export interface ClientReplayOptions extends ReplayOptions {
  /** Where to: `ws:`, `wss:`, or `tcp://host:port` for the recording of a client that spoke plain TCP. */
  readonly target: string;
  /** Header fields of the handshake, beside those that are whole in the recording: credentials are not. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What is offered. Default: what was offered then and is not blotted out. */
  readonly subprotocols?: readonly string[] | undefined;
}

/** How a recording is played as its target. */
export interface TargetReplayOptions extends ReplayOptions {
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Default 0, any free one. */
  readonly port?: number | undefined;
}

/** A recording that waits for its client, or is played to it. */
export interface TargetReplay {
  /** Where the client is to connect, such as `ws://127.0.0.1:41235`. */
  readonly url: string;
  /** Resolves when it is over; nothing listens any more. Rejects with `REPLAY_FAILED` when no client came in time. */
  readonly done: Promise<ReplayReport>;
}

/** What a handshake has of its own. */
const OF_HANDSHAKES = /^(host|connection|upgrade|content-length|keep-alive|transfer-encoding|sec-websocket-.*)$/i;

const DEFAULT_TIMEOUT = 10_000;

/**
 * Plays a recording as its client against a target.
 *
 * @throws TidegateError `REPLAY_FAILED` when the target cannot be reached, or is no target for this recording.
 */
export async function replayAsClient(recording: Recording, options: ClientReplayOptions): Promise<ReplayReport> {
  const peer = await connectPeer(recording, options);
  return await play(peer, recording, 'client', options);
}

/** Plays a recording as its target, for the first client that comes. */
export async function replayAsTarget(recording: Recording, options: TargetReplayOptions = {}): Promise<TargetReplay> {
  const { host = '127.0.0.1', port = 0, timeout = DEFAULT_TIMEOUT } = options;
  const isTcp = recording.header.transport === 'tcp';
  const server = isTcp ? createServer() : createHttpServer();
  const came = nextPeer(server, recording);
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new TidegateError('REPLAY_FAILED', `cannot listen on ${host}:${port}: ${describeError(error)}`);
  }
  const bound = server.address() as AddressInfo;
  const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  const run = async (): Promise<ReplayReport> => {
    try {
      const peer = await within(came, timeout, options.signal, 'a client');
      server.close();
      return await play(peer, recording, 'server', options);
    } finally {
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
    }
  };
  const done = run();
  // Whoever asks later is told then.
  done.catch(() => {});
  return { url: `${isTcp ? 'tcp' : 'ws'}://${name}:${bound.port}`, done };
}

async function connectPeer(recording: Recording, options: ClientReplayOptions): Promise<ReplayPeer> {
  const { target, timeout = DEFAULT_TIMEOUT, signal } = options;
  const url = URL.canParse(target) ? new URL(target) : undefined;
  const isTcp = recording.header.transport === 'tcp';
  const fits = isTcp ? url?.protocol === 'tcp:' : url?.protocol === 'ws:' || url?.protocol === 'wss:';
  if (url === undefined || !fits) {
    const expected = isTcp ? 'tcp://host:port: its client spoke plain TCP' : 'ws://… or wss://…';
    throw new TidegateError('REPLAY_FAILED', `target: got ${JSON.stringify(target)}; expected ${expected}`);
  }
  return isTcp ? await connectTcp(url, timeout, signal) : await connectWebSocket(recording, url, timeout, options);
}

async function connectTcp(url: URL, timeout: number, signal: AbortSignal | undefined): Promise<ReplayPeer> {
  const socket = connect({ host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) });
  const peer = new TcpReplayPeer(socket);
  try {
    await within(once(socket, 'connect'), timeout, signal, url.href);
    return peer;
  } catch (error) {
    socket.destroy();
    throw unreachable(url.href, error);
  }
}

async function connectWebSocket(
  { header }: Recording,
  url: URL,
  timeout: number,
  { headers, subprotocols, signal }: ClientReplayOptions,
): Promise<ReplayPeer> {
  const recorded = header.request.headers.filter(([name, value]) => !OF_HANDSHAKES.test(name) && !value.includes(BLOT));
  const offered = subprotocols ?? offeredIn(header.request.headers);
  const socket = new WebSocket(url, [...offered], {
    headers: { ...Object.fromEntries(recorded), ...headers },
    perMessageDeflate: false,
    handshakeTimeout: timeout,
    skipUTF8Validation: true,
  });
  const peer = new WebSocketReplayPeer(socket);
  try {
    await within(once(socket, 'open'), timeout, signal, url.href);
    return peer;
  } catch (error) {
    socket.terminate();
    throw unreachable(url.href, error);
  }
}

function offeredIn(headers: readonly (readonly [string, string])[]): string[] {
  return headers
    .filter(([name]) => name.toLowerCase() === 'sec-websocket-protocol')
    .flatMap(([, value]) => value.split(',').map((name) => name.trim()))
    .filter((name) => name !== '' && name !== BLOT);
}

/** The first client; those beyond are turned away, as nothing listens then. */
function nextPeer(server: Server, { header }: Recording): Promise<ReplayPeer> {
  return new Promise((resolve) => {
    if (header.transport === 'tcp') {
      server.once('connection', (socket) => resolve(new TcpReplayPeer(socket)));
      return;
    }
    const { subprotocol } = header;
    const handleProtocols = (offered: Set<string>) => (offered.has(subprotocol) ? subprotocol : false);
    const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, handleProtocols });
    server.once('upgrade', (request, socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (client) => resolve(new WebSocketReplayPeer(client)));
    });
  });
}

async function within<T>(
  wanted: Promise<T>,
  milliseconds: number,
  signal: AbortSignal | undefined,
  what: string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let leave: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    const fail = (why: string) => reject(new TidegateError('REPLAY_FAILED', `waited for ${what}: ${why}`));
    timer = setTimeout(() => fail(`nothing came within ${milliseconds} ms`), milliseconds);
    leave = () => fail('it was ended');
    signal?.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([wanted, late]);
  } finally {
    clearTimeout(timer);
    if (leave !== undefined) signal?.removeEventListener('abort', leave);
  }
}

function unreachable(target: string, error: unknown): TidegateError {
  if (error instanceof TidegateError) return error;
  return new TidegateError('REPLAY_FAILED', `${target}: ${describeError(error)}`, { cause: error });
}
