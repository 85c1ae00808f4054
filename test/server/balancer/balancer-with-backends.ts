/**
 * Owns what the tests of a balancer's health set up: a balancer on a free port with a record of what it told, and echoing backends that
 * behave. Everything is closed when the test that asked for it has finished. Refuses to assert anything.
 */
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  type BackendInfo,
  type BoundAddress,
  LoadBalancer,
  type LoadBalancerEvents,
  type LoadBalancerOptions,
} from '../../../src/index.js';
import { eventually, waitForEvent } from '../../support/events.js';
import { openClient } from '../../support/for-one-test.js';
import type { HandshakeAnswer, RawClient, RawClientOptions } from '../../support/raw-client.js';
import { handshake } from '../stage.js';

/** A balancer that runs. */
export interface RunningBalancer {
  readonly balancer: LoadBalancer;
  readonly address: BoundAddress;
  readonly port: number;
  /** Everything it told about backends and clients, in order, such as `backend.health a unhealthy`, `client.paired conn-1 a`. */
  readonly lines: string[];
  /** Resolves when a line is there, or will be. */
  told(line: string): Promise<void>;
  backend(id: string): BackendInfo;
  /** Opens a client that sees single frames; rejects when it is refused. */
  open(options?: RawClientOptions): Promise<RawClient>;
  /** Does a handshake and gives the answer, whatever it is. */
  handshake(options?: RawClientOptions): Promise<HandshakeAnswer>;
}

/** Starts a balancer on a free port of 127.0.0.1. Without `health`, backends are not checked. */
export async function startBalancer(options: LoadBalancerOptions = {}): Promise<RunningBalancer> {
  const balancer = new LoadBalancer({ listen: '127.0.0.1:0', health: { check: 'off' }, ...options });
  const lines: string[] = [];
  record(balancer, lines);
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const { port } = address!;
  return {
    balancer,
    address: address!,
    port,
    lines,
    told: (line) =>
      eventually(() => lines.includes(line), `it tells ${JSON.stringify(line)}`, { instead: () => lines.join('; ') }),
    backend: (id) => {
      const found = balancer.backends().find((one) => one.id === id);
      if (found === undefined) throw new Error(`there is no backend ${id}`);
      return found;
    },
    open: (more) => openClient({ port, ...more }),
    handshake: (more) => handshake({ port, ...more }),
  };
}

function record(balancer: LoadBalancer, lines: string[]): void {
  const on = <Name extends keyof LoadBalancerEvents>(
    name: Name,
    words: (...values: LoadBalancerEvents[Name]) => readonly string[],
  ): void => {
    const listener = (...values: unknown[]) =>
      void lines.push([name, ...words(...(values as LoadBalancerEvents[Name]))].join(' '));
    balancer.on(name, listener as never);
  };
  on('connection', ({ id }) => [id]);
  on('client.paired', ({ id }, backend) => [id, backend.id]);
  on('client.unpaired', ({ id }, backend) => [id, backend.id]);
  on('disconnected', ({ id }, { status }) => [id, String(status)]);
  on('rejected', ({ error }) => [error]);
  on('backend.ready', ({ id }) => [id]);
  on('backend.draining', ({ id }) => [id]);
  on('backend.gone', ({ id }) => [id]);
  on('backend.health', ({ id }, health) => [id, health]);
  on('exception', (error) => [error instanceof Error ? error.message : String(error)]);
}

/** A backend that echoes. */
export interface EchoBackend {
  readonly url: string;
  readonly port: number;
  /** The clients that are on it. */
  readonly clients: Set<WebSocket>;
  /** How many connections it ever took. */
  taken(): number;
  /** Cuts every client and stops listening. */
  close(): Promise<void>;
}

/** Starts a backend of the library `ws` that sends back every message, and answers pings and Close frames as it should. */
export async function startEchoBackend(port = 0): Promise<EchoBackend> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  let taken = 0;
  server.on('connection', (socket) => {
    taken += 1;
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.on('error', () => {});
  });
  await waitForEvent(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  const close = (): Promise<void> => {
    for (const client of server.clients) client.terminate();
    return new Promise((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  return { url: `ws://127.0.0.1:${bound}`, port: bound, clients: server.clients, taken: () => taken, close };
}
