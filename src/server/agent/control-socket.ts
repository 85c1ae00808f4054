/** Owns the WebSocket of a control channel on the side of the backend, and what is said of one that cannot be had. Refuses to read messages. */
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { CONTROL_SUBPROTOCOL } from '../../protocol/control/messages.js';
import { describeError } from '../../receivers/errors.js';
import type { AgentConfig } from '../config/register.js';

/** Who is told. Nothing in it may throw. */
export interface ControlSocketEvents {
  opened(): void;
  /** The balancer gave a sign of life. */
  alive(): void;
  /** A message came; undefined for one that is binary. */
  heard(text: string | undefined): void;
  /** What went wrong; `closed` comes behind it. */
  failed(why: string): void;
  closed(code: number, reason: string): void;
}

/** Messages for clients may be large. */
const MAX_PAYLOAD = 128 * 1024 * 1024;
/** Of the body of a refusal, in characters. */
const MAX_BODY = 512;

/**
 * Dials a balancer.
 *
 * @param timeout milliseconds until the 101.
 * @throws Error for a URL that `ws` does not take, or TLS settings that cannot be used.
 */
export function openControlSocket(
  url: string,
  { minVersion, ...tls }: AgentConfig['tls'],
  timeout: number,
  events: ControlSocketEvents,
): WebSocket {
  const secure = url.toLowerCase().startsWith('wss:') ? { minVersion, ...tls } : {};
  const socket = new WebSocket(url, CONTROL_SUBPROTOCOL, {
    ...secure,
    perMessageDeflate: false,
    maxPayload: MAX_PAYLOAD,
    handshakeTimeout: timeout,
    followRedirects: false,
  });
  socket.on('open', () => events.opened());
  socket.on('ping', () => events.alive());
  socket.on('pong', () => events.alive());
  socket.on('message', (data, isBinary) => {
    events.alive();
    events.heard(isBinary ? undefined : String(data));
  });
  socket.on('unexpected-response', (_request, response) => {
    void readRefusal(response).then((said) => {
      events.failed(`it answered ${response.statusCode}${said === '' ? '' : `: ${said}`}`);
      socket.terminate();
    });
  });
  socket.on('error', (error) => events.failed(describeError(error)));
  socket.on('close', (code, reason) => events.closed(code, reason.toString('utf8')));
  return socket;
}

/** The beginning of what a server said instead of 101. Never rejects. */
function readRefusal(response: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let body = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      body += text.slice(0, MAX_BODY - body.length);
      if (body.length >= MAX_BODY) resolve(body.trim());
    });
    for (const end of ['end', 'error', 'close']) response.on(end, () => resolve(body.trim()));
  });
}
