/**
 * Owns a listener of a test peer: a free port or a Unix socket, plain or TLS, the connections it took, and their end.
 * Refuses to know what is spoken on them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type SecureContextOptions, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { waitForEvent } from './events.js';
import { TcpConnection } from './tcp-connection.js';

/** Where a test peer listens. */
export interface ListenOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: any free one. A port of an earlier peer lets a test bring a target back. */
  readonly port?: number;
  /** Listens on a Unix socket in a directory of its own instead; a string says on which. */
  readonly unix?: boolean | string;
  /** Key and certificate, and whether a client certificate is asked for. */
  readonly tls?: SecureContextOptions & Pick<TLSSocketOptions, 'requestCert' | 'rejectUnauthorized' | 'ALPNProtocols'>;
  /** Whether a FIN of the other side is left unanswered. */
  readonly allowHalfOpen?: boolean;
  /** Whether nothing is read until `resumeReading`. */
  readonly paused?: boolean;
}

/** A listener and the connections it took. */
export class Listening {
  /** The port; 0 on a Unix socket. */
  readonly port: number;
  /** The path of the Unix socket, or an empty string. */
  readonly socketPath: string;
  /** How many connections were ever taken. */
  accepted = 0;

  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #directory: string | undefined;

  private constructor(server: Server, socketPath: string, directory: string | undefined) {
    this.#server = server;
    this.#directory = directory;
    this.socketPath = socketPath;
    this.port = socketPath === '' ? (server.address() as AddressInfo).port : 0;
  }

  static async start(options: ListenOptions, onConnection: (connection: TcpConnection) => void): Promise<Listening> {
    const { host = '127.0.0.1', port = 0, allowHalfOpen = false, paused = false } = options;
    const context = options.tls === undefined ? undefined : createSecureContext(options.tls);
    const directory = options.unix === true ? await mkdtemp(join(tmpdir(), 'tidegate-peer-')) : undefined;
    const socketPath = typeof options.unix === 'string' ? options.unix : directory ? join(directory, 'peer.sock') : '';
    const server = createServer({ allowHalfOpen, noDelay: true, pauseOnConnect: paused }, (socket) => {
      listening.accepted += 1;
      listening.#open.add(socket);
      socket.on('close', () => listening.#open.delete(socket));
      const secure =
        context === undefined
          ? socket
          : new TLSSocket(socket, { ...options.tls, isServer: true, secureContext: context });
      onConnection(new TcpConnection(secure, socket, { paused }));
    });
    server.listen(socketPath === '' ? { host, port } : { path: socketPath });
    await waitForEvent(server, 'listening');
    // No connection can come before this line: `listening` is emitted in a turn of its own.
    const listening = new Listening(server, socketPath, directory);
    return listening;
  }

  /** Connections that are open now. */
  get openConnections(): number {
    return this.#open.size;
  }

  /** Stops listening and leaves the connections alone. */
  stopListening(): void {
    this.#server.close();
  }

  /** Cuts every connection, stops listening, and resolves when nothing is left. May be called twice. */
  async close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    await new Promise<void>((resolve) => {
      // A server that is closing already calls back as well (with an error), after its last connection has gone.
      this.#server.close(() => resolve());
    });
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true });
  }
}
