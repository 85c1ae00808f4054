/**
 * Owns how a client of a soak comes in: plain or over TLS, its request at once or in drips, and what it was answered.
 * Refuses to speak WebSocket after that.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { requestBytes } from '../support/raw-client.js';

/** A socket after its request was answered. */
export interface Dialled {
  readonly socket: Socket;
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  /** What came behind the head of the answer. */
  readonly rest: Buffer;
}

/** What is asked for, and how. */
export interface DialPlan {
  readonly port: number;
  readonly tls: boolean;
  readonly path: string;
  /** Milliseconds between pieces of the request; 0 sends it at once. */
  readonly drip: number;
  /** Bytes behind the request, in the same piece. */
  readonly head?: Buffer;
  readonly omitHeaders?: readonly string[];
}

/** Connects and asks; never rejects. */
export async function dial(plan: DialPlan): Promise<Dialled> {
  const { port, tls, path, drip, omitHeaders } = plan;
  const options = { port, host: '127.0.0.1', noDelay: true };
  const socket = tls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
  socket.on('error', () => {});
  const request = Buffer.concat([requestBytes({ port, path, omitHeaders }), plan.head ?? Buffer.alloc(0)]);
  const answered = readHead(socket);
  for (const piece of drip === 0
    ? [request]
    : [request.subarray(0, 9), request.subarray(9, 60), request.subarray(60)]) {
    if (drip > 0) await pause(drip);
    if (!socket.destroyed) socket.write(piece);
  }
  return answered;
}

function readHead(socket: Socket): Promise<Dialled> {
  return new Promise((resolve) => {
    let head = Buffer.alloc(0);
    const done = (status: number, rest: Buffer): void => {
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve({ socket, status, rest });
    };
    const onClose = (): void => done(0, head);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end >= 0) done(Number(head.toString('latin1', 9, 12)), head.subarray(end + 4));
    };
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}

/** Resolves when the socket is closed. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Resolves when more can be written, or never will be. */
export function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    if (!socket.writableNeedDrain || socket.destroyed) resolve();
    else {
      socket.on('drain', done);
      socket.on('close', done);
    }
  });
}
