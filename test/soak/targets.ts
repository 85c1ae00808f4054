/**
 * Owns the targets of a soak: one for WebSockets and one for bytes, each of which may die and come back on its port. The
 * first eight bytes of a connection say which life it belongs to. Refuses to know what follows.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { acceptValue } from '../support/http-head.js';
import { WsEnd } from './ws-end.js';

/** The bytes of the name of a life. */
export const NAME_BYTES = 8;

/** The target's end of one connection. */
export interface TargetEnd {
  readonly socket: Socket;
  /** Undefined on a byte target. */
  readonly ws: WsEnd | undefined;
}

/** Who takes what arrives for a life. */
export interface TargetSink {
  onTarget(end: TargetEnd): void;
  onBytes(chunk: Buffer): void;
  onMessage(data: Buffer, binary: boolean): void;
  onTargetClose(code: number): void;
  onWrong(what: string): void;
}

/** Finds a life by its name; undefined when it is over. */
export type FindLife = (name: string) => TargetSink | undefined;

/** A target on a free port. */
export class Target {
  port = 0;
  readonly sockets = new Set<Socket>();
  readonly #kind: 'ws' | 'tcp';
  readonly #find: FindLife;
  #server: Server | undefined;

  constructor(kind: 'ws' | 'tcp', find: FindLife) {
    this.#kind = kind;
    this.#find = find;
  }

  get url(): string {
    return `${this.#kind}://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#take(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.port, host: '127.0.0.1' }, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Cuts everything and listens no more. */
  async die(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  #take(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    if (this.#kind === 'ws') this.#shakeHands(socket);
    else this.#readBytes(socket);
  }

  #readBytes(socket: Socket): void {
    let name = Buffer.alloc(0);
    let life: TargetSink | undefined;
    socket.on('data', (chunk) => {
      const missing = NAME_BYTES - name.length;
      if (missing > 0) {
        name = Buffer.concat([name, chunk.subarray(0, missing)]);
        if (name.length < NAME_BYTES) return;
        life = this.#find(name.toString());
        life?.onTarget({ socket, ws: undefined });
      }
      const rest = chunk.subarray(Math.max(missing, 0));
      if (rest.length > 0) life?.onBytes(rest);
    });
    socket.on('end', () => socket.end());
  }

  #shakeHands(socket: Socket): void {
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', onData);
      const key = /^sec-websocket-key: (\S+)/im.exec(head.toString('latin1'))?.[1] ?? '';
      const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade'];
      socket.write(`${[...lines, `Sec-WebSocket-Accept: ${acceptValue(key)}`].join('\r\n')}\r\n\r\n`);
      this.#readMessages(socket, head.subarray(end + 4));
    };
    socket.on('data', onData);
    socket.on('end', () => socket.end());
  }

  #readMessages(socket: Socket, rest: Buffer): void {
    let life: TargetSink | undefined;
    let named = false;
    const ws = new WsEnd(socket, 'target', rest, {
      onMessage: (data, binary) => {
        if (named) life?.onMessage(data, binary);
        else {
          named = true;
          life = this.#find(data.toString());
          life?.onTarget({ socket, ws });
        }
      },
      onClose: (code) => life?.onTargetClose(code),
      onWrong: (error) => life?.onWrong(`the target got no WebSocket: ${error.message}`),
    });
  }
}
