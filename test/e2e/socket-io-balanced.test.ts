/**
 * Owns Socket.IO over two backends that know nothing of each other: long polling, the change to WebSocket, and messages both ways. A
 * client whose requests reach both backends does not come to be connected. The same is asked of nginx, where it is installed.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  accept,
  ConnectionReceiver,
  LoadBalancer,
  type LoadBalancerOptions,
  type UpgradeRequest,
} from '../../src/index.js';
import { FRONT_PROXIES, startFrontProxy } from '../support/front-proxies.js';
import { listenOn } from './listen-on.js';
import { happened } from './stage.js';

const CLIENTS = 8;

interface Backend {
  readonly name: string;
  readonly port: number;
  readonly server: Server;
}

async function startBackend(name: string): Promise<Backend> {
  const http = createServer();
  const server = new Server(http, { maxHttpBufferSize: 4 * 1024 * 1024 });
  const port = await listenOn(http);
  onTestFinished(() => server.close());
  server.on('connection', (socket) => {
    socket.on('who', (reply: (name: string) => void) => reply(name));
    socket.on('echo', (value: unknown, reply: (value: unknown) => void) => reply(value));
    socket.on('call me', () => socket.emit('name', name));
  });
  return { name, port, server };
}

/** How clients get back to the backend they had. */
type Sticky = (backends: readonly Backend[]) => LoadBalancerOptions;

const urlOf = ({ port }: Backend): string => `ws://127.0.0.1:${port}`;

/** The application says where each client goes. */
const chosenByHooks: Sticky = (backends) => {
  const backendOf = (headers: Readonly<Record<string, string>>): Backend =>
    backends[Number(headers['x-client']) % backends.length]!;
  class Chooser extends ConnectionReceiver {
    override onUpgradeRequest({ headers }: UpgradeRequest) {
      return accept({ target: urlOf(backendOf(headers)) });
    }
  }
  return {
    backends: backends.map((backend) => ({ id: backend.name, url: urlOf(backend) })),
    targets: { allow: backends.map(({ port }) => `127.0.0.1:${port}`) },
    onHttpRequest: ({ headers }, plan) => {
      plan.backend = backendOf(headers).name;
    },
    receiver: () => new Chooser(),
  };
};

/** The balancer knows them again, and the application nothing of it. */
const byAffinity =
  (by: string): Sticky =>
  (backends) => ({ backends: backends.map(urlOf), trustedProxies: ['127.0.0.1'], affinity: { by } });

/** Starts whatever stands before the backends; answers with its port. */
type Front = (backends: readonly Backend[]) => Promise<number>;

const balancer =
  (sticky: Sticky): Front =>
  async (backends) => {
    const server = new LoadBalancer({ listen: '127.0.0.1:0', ...sticky(backends) });
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const [address] = await server.start();
    return address!.port;
  };

const nginx: Front = async (backends) => {
  const front = await startFrontProxy(
    'nginx',
    backends.map(({ port }) => port),
    'client_max_body_size 4m;',
  );
  onTestFinished(() => front.stop());
  return front.port;
};

const FRONTS: ReadonlyArray<readonly [name: string, front: Front]> = [
  ['the balancer, by hooks', balancer(chosenByHooks)],
  ['the balancer, by a header', balancer(byAffinity('header:X-Client'))],
  ['the balancer, by address', balancer(byAffinity('address'))],
  ['the balancer, by cookie', balancer(byAffinity('cookie'))],
  ...(FRONT_PROXIES.nginx.isInstalled ? [['nginx', nginx] as const] : []),
];

async function connect(port: number, client: number, transports: Array<'polling' | 'websocket'>): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${port}`, {
    transports,
    forceNew: true,
    reconnection: false,
    extraHeaders: { 'X-Client': String(client), 'X-Forwarded-For': `192.0.2.${client}` },
    // Keeps cookies, as a browser does.
    withCredentials: true,
  });
  onTestFinished(() => void socket.disconnect());
  const refused = happened<[Error]>(socket, 'connect_error').then(([error]) => Promise.reject(error));
  await Promise.race([happened(socket, 'connect'), refused]);
  return socket;
}

describe.each(FRONTS)('Socket.IO through %s', (_name, front) => {
  it.each([
    ['goes from long polling to WebSocket', ['polling', 'websocket'] as const],
    ['stays with long polling', ['polling'] as const],
    ['begins with WebSocket', ['websocket'] as const],
  ])('%s, each client on one backend', async (_what, transports) => {
    const backends = [await startBackend('one'), await startBackend('two')];
    const port = await front(backends);
    const sockets = await Promise.all(Array.from({ length: CLIENTS }, (_, at) => connect(port, at, [...transports])));
    const upgraded = transports.includes('websocket' as never);
    const names = await Promise.all(
      sockets.map(async (socket) => {
        const { engine } = socket.io;
        if (upgraded && engine.transport.name !== 'websocket') await happened(engine, 'upgrade');
        expect(engine.transport.name).toBe(upgraded ? 'websocket' : 'polling');
        const told = happened<[string]>(socket, 'name');
        socket.emit('call me');
        const name = await socket.timeout(10_000).emitWithAck('who');
        expect(await told).toEqual([name]);
        return name as string;
      }),
    );
    expect(new Set(names)).toEqual(new Set(['one', 'two']));
    for (const { name, server } of backends) {
      expect(server.engine.clientsCount).toBe(names.filter((one) => one === name).length);
    }
  });

  it('carries a megabyte by long polling', async () => {
    const port = await front([await startBackend('one'), await startBackend('two')]);
    const socket = await connect(port, 1, ['polling']);
    const large = randomBytes(1024 * 1024);
    const echoed = (await socket.timeout(10_000).emitWithAck('echo', large)) as Buffer;
    expect(large.equals(echoed)).toBe(true);
  });
});
