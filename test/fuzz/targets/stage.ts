/**
 * Owns the proxy that handshakes are fuzzed against, with the server behind it that it dials: started once, for many inputs.
 * Refuses to know what is sent either way.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { ProxyServer, type ProxyServerOptions } from '../../../src/index.js';
import { eventually } from '../../support/events.js';

/** What one is made of. */
export interface StageOptions extends Omit<ProxyServerOptions, 'listen' | 'target'> {
  /** What the proxy speaks with its target. */
  readonly scheme: 'tcp' | 'ws';
  /** The proxy has dialled. */
  readonly onDialled: (socket: Socket) => void;
}

/** A proxy that runs, and its target. */
export class Stage {
  readonly server: ProxyServer;
  /** What the `exception` events told. */
  readonly exceptions: unknown[] = [];
  readonly #target: Server;

  private constructor(server: ProxyServer, target: Server) {
    this.server = server;
    this.#target = target;
    server.on('exception', (error) => this.exceptions.push(error));
  }

  static async start({ scheme, onDialled, ...options }: StageOptions): Promise<Stage> {
    const target = createServer((socket) => {
      socket.on('error', () => {});
      onDialled(socket);
    });
    await new Promise<void>((resolve) => target.listen({ port: 0, host: '127.0.0.1' }, resolve));
    const { port } = target.address() as AddressInfo;
    const server = new ProxyServer({ listen: '127.0.0.1:0', target: `${scheme}://127.0.0.1:${port}`, ...options });
    await server.start();
    return new Stage(server, target);
  }

  get port(): number {
    return this.server.addresses[0]!.port;
  }

  /** Resolves when nothing of the last input is left, on either side. */
  async idle(): Promise<void> {
    const open = () => new Promise<number>((resolve) => this.#target.getConnections((_error, count) => resolve(count)));
    const none = async () => this.server.snapshot().connections.length === 0 && (await open()) === 0;
    await eventually(none, 'all is closed', {
      within: 5000,
      instead: () => JSON.stringify(this.server.snapshot().connections),
    });
  }

  async stop(): Promise<void> {
    await this.server.stop({ drainTimeout: 0 });
    await new Promise((resolve) => this.#target.close(resolve));
  }
}
