/** Owns a listener under test that records what it hands over, and the clients that come to it. */
import net from 'node:net';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import type { RequestHead } from '../../../src/protocol/http-head.js';
import type { TidegateError } from '../../../src/receivers/errors.js';
import { Listener } from '../../../src/server/listener/listener.js';
import type { ListenerOptions, ListenerRefusal } from '../../../src/server/listener/listener-options.js';
import { TlsListening } from '../../../src/server/tls/tls-listening.js';
import type { Wire } from '../../../src/server/wires/wire.js';
import type { WireLayer } from '../../../src/server/wires/wire-layer.js';
import { listenWith, localhostCertificate, type TestCertificate } from '../../support/tls.js';
import { recordOf, type WireRecord } from '../../support/wires.js';

/** A request that a listener handed over. */
export interface Arrival {
  readonly head: RequestHead;
  readonly wire: Wire;
  readonly record: WireRecord;
}

/** The options of a listener under test; its TLS by what stands in a certificate. */
export type HarnessOptions = Partial<Omit<ListenerOptions, 'tls'>> & {
  readonly tls?: TestCertificate | ListenerOptions['tls'];
};

/** A listener that records what it hands over, and lets a test wait for it. */
export class Harness {
  readonly refusals: ListenerRefusal[] = [];
  readonly errors: TidegateError[] = [];
  readonly listener: Listener;
  port = 0;
  /** Plain TCP clients that were handed over, with where they are to go. */
  readonly clients: Array<{ readonly wire: Wire; readonly record: WireRecord; readonly target: string | undefined }> =
    [];
  readonly #arrivals: Arrival[] = [];
  readonly #waiting: Array<(arrival: Arrival) => void> = [];

  constructor(layer: WireLayer, { tls: secure, ...options }: HarnessOptions = {}) {
    this.listener = new Listener({
      host: '127.0.0.1',
      port: 0,
      handshakeTimeout: 10_000,
      maxHandshakeBytes: 2048,
      maxHeaderCount: 5000,
      highWaterMark: 16_384,
      keepAlive: 1000,
      layer,
      onRequest: (head, wire) => {
        onTestFinished(() => wire.terminate());
        const arrival = { head, wire, record: recordOf(wire) };
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#arrivals.push(arrival);
        else waiting(arrival);
      },
      onBytes: (wire, target) => {
        onTestFinished(() => wire.terminate());
        this.clients.push({ wire, record: recordOf(wire), target });
      },
      onRefused: (info) => void this.refusals.push(info),
      onLost: (error) => void this.errors.push(error),
      ...options,
      tls: secure === undefined || secure instanceof TlsListening ? secure : listenWith(secure),
    });
    onTestFinished(() => this.listener.close());
  }

  async bind(): Promise<this> {
    this.port = (await this.listener.bind()).port;
    return this;
  }

  arrival(): Promise<Arrival> {
    const ready = this.#arrivals.shift();
    return ready === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(ready);
  }

  connect(secure = false): net.Socket {
    const to = { port: this.port, host: '127.0.0.1' };
    const socket = secure
      ? tls.connect({ ...to, servername: 'localhost', ca: localhostCertificate.cert })
      : net.connect(to);
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    return socket;
  }
}

/** The head of a handshake for `/x`. */
export function handshake(extra: string[] = []): string {
  return `${['GET /x HTTP/1.1', 'Host: h', 'Connection: Upgrade', 'Upgrade: websocket', ...extra].join('\r\n')}\r\n\r\n`;
}

/** Everything the other side sent until the connection ended, however it ended. */
export function received(socket: net.Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.once('close', () => resolve(text));
  });
}

/** Waits for the end of a socket, however it comes. */
export function closed(socket: net.Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}
