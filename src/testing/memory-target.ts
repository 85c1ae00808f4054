/**
 * Owns a target in memory: what a server that forwards dials in place of the network. It is reached, or refuses, when the test says so.
 * Refuses to be more than one end: WebSocket or bytes.
 */
import { acceptKey } from '../protocol/handshake.js';
import { parseRequestHead } from '../protocol/http-head.js';
import { MemoryWebSocket } from './memory-web-socket.js';
import type { MemoryWire } from './memory-wire.js';

/** A target that was dialled. */
export class MemoryTarget extends MemoryWebSocket {
  protected readonly masks = false;
  /** The address and port that were dialled. */
  readonly address: string;
  readonly port: number;
  /** What a WebSocket target was asked for, names in lower case; undefined before, and of a target of bytes. */
  asked: { readonly url: string; readonly headers: Readonly<Record<string, string>> } | undefined;
  readonly #decide: (error: Error | undefined) => void;
  readonly #speaksWebSocket: boolean;
  #head: Buffer = Buffer.alloc(0);
  #open = false;

  /** @param decide called once: it is connected, or why not. */
  constructor(
    wire: MemoryWire,
    place: { readonly address: string; readonly port: number; readonly speaksWebSocket: boolean },
    decide: (error: Error | undefined) => void,
  ) {
    super({});
    this.address = place.address;
    this.port = place.port;
    this.#speaksWebSocket = place.speaksWebSocket;
    this.#decide = decide;
    this.connect(wire);
  }

  /** Lets the connection stand. A WebSocket target answers its handshake with 101 then. */
  accept(): void {
    this.#decide(undefined);
  }

  /** Refuses the connection, as a port does on which nobody listens. */
  refuse(): void {
    const place = `${this.address}:${this.port}`;
    this.#decide(Object.assign(new Error(`connect ECONNREFUSED ${place}`), { code: 'ECONNREFUSED' }));
  }

  onBytes(bytes: Buffer): void {
    if (!this.#speaksWebSocket) this.take({ kind: 'bytes', data: bytes });
    else if (this.#open) this.onFrames(bytes);
    else this.#onRequest(bytes);
  }

  #onRequest(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes]);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = parseRequestHead(this.#head.toString('latin1', 0, end + 4));
    if ('fault' in head) throw new Error(`the target was sent no HTTP: ${head.fault}`);
    const headers: Record<string, string> = {};
    const { rawHeaders, url } = head;
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers[rawHeaders[at]!.toLowerCase()] = rawHeaders[at + 1]!;
    this.asked = { url, headers };
    this.#open = true;
    const [subprotocol] = (headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const accepted = [
      'HTTP/1.1 101 Switching Protocols',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Sec-WebSocket-Accept: ${acceptKey(headers['sec-websocket-key'] ?? '')}`,
      ...(subprotocol ? [`Sec-WebSocket-Protocol: ${subprotocol}`] : []),
    ];
    // Not from within what the server does now.
    queueMicrotask(() => this.sendBytes(`${accepted.join('\r\n')}\r\n\r\n`));
    const rest = this.#head.subarray(end + 4);
    if (rest.length > 0) this.onFrames(rest);
  }
}
