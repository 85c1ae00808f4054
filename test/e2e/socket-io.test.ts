/** Owns Socket.IO through both WebSocket paths: rooms, acknowledgements and binary, over its WebSocket transport. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { Server, type ServerOptions, type Socket as ServerSocket } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RecordingReceiver } from '../support/recording-receiver.js';
import { listenOn } from './listen-on.js';
import { happened, Queue, type RunningProxy, startProxy } from './stage.js';

interface Stage {
  readonly server: Server;
  readonly proxy: RunningProxy;
  readonly sockets: Queue<ServerSocket>;
  connect(): Promise<Socket>;
}

async function stage(path: 'frames' | 'messages', options: Partial<ServerOptions> = {}): Promise<Stage> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'], maxHttpBufferSize: 4 * 1024 * 1024, ...options });
  const port = await listenOn(http);
  onTestFinished(() => server.close());
  const sockets = new Queue<ServerSocket>();
  server.on('connection', (socket) => sockets.add(socket));
  const proxy = await startProxy({
    target: `ws://127.0.0.1:${port}`,
    ...(path === 'messages' ? { receiver: () => new RecordingReceiver() } : {}),
  });
  const connect = async (): Promise<Socket> => {
    const client = io(proxy.url, { transports: ['websocket'], forceNew: true, reconnection: false });
    onTestFinished(() => void client.disconnect());
    const refused = happened<[Error]>(client, 'connect_error').then(([error]) => Promise.reject(error));
    await Promise.race([happened(client, 'connect'), refused]);
    return client;
  };
  return { server, proxy, sockets, connect };
}

/** Collects an event of a client. */
function heardBy(client: Socket, event: string): Queue<unknown[]> {
  const heard = new Queue<unknown[]>();
  client.on(event, (...args: unknown[]) => heard.add(args));
  return heard;
}

describe.each(['frames', 'messages'] as const)('socket.io through the %s path', (path) => {
  it('connects without polling, and takes the path that was meant', async () => {
    const { connect, proxy } = await stage(path);
    const client = await connect();
    expect(client.io.engine.transport.name).toBe('websocket');
    expect(proxy.server.snapshot().connections).toMatchObject([{ dataPath: path, path: '/socket.io/' }]);
  });

  it('acknowledges both ways', async () => {
    const { connect, sockets } = await stage(path);
    const client = await connect();
    const socket = await sockets.next();
    socket.on('add', (a: number, b: number, reply: (sum: number) => void) => reply(a + b));
    expect(await client.timeout(5000).emitWithAck('add', 20, 22)).toBe(42);
    client.on('name', (reply: (name: string) => void) => reply('tide'));
    expect(await socket.timeout(5000).emitWithAck('name')).toBe('tide');
  });

  it('carries binary, alone and inside objects, of 1 MB too', async () => {
    const { connect, sockets } = await stage(path);
    const client = await connect();
    const socket = await sockets.next();
    socket.on('echo', (value: unknown, reply: (value: unknown) => void) => reply(value));
    const large = randomBytes(1024 * 1024);
    const reply = (await client.timeout(10_000).emitWithAck('echo', {
      name: 'blob',
      parts: [Buffer.from([1, 2, 3]), large],
    })) as { name: string; parts: Buffer[] };
    expect(reply.name).toBe('blob');
    expect([...reply.parts[0]!]).toEqual([1, 2, 3]);
    expect(large.equals(reply.parts[1]!)).toBe(true);
  });

  it('reaches everybody in a room and nobody else', async () => {
    const { connect, server, sockets } = await stage(path);
    const clients: Socket[] = [];
    for (const room of ['red', 'red', 'blue']) {
      clients.push(await connect());
      await (await sockets.next()).join(room);
    }
    const [first, second, third] = clients.map((client) => heardBy(client, 'news'));
    server.to('red').emit('news', 'for red');
    server.emit('news', 'for all');
    expect(await first!.next()).toEqual(['for red']);
    expect(await second!.next()).toEqual(['for red']);
    expect(await third!.next()).toEqual(['for all']);
  });

  it('lets its own heartbeat through', async () => {
    const { connect } = await stage(path, { pingInterval: 50, pingTimeout: 5000 });
    const client = await connect();
    for (let count = 0; count < 3; count += 1) await happened(client.io, 'ping');
    expect(client.connected).toBe(true);
  });

  it('tells each side that the other one left', async () => {
    const { connect, sockets } = await stage(path);
    const leaving = await connect();
    const left = happened(await sockets.next(), 'disconnect');
    leaving.disconnect();
    expect(await left).toContain('client namespace disconnect');
    const client = await connect();
    const told = happened(client, 'disconnect');
    (await sockets.next()).disconnect(true);
    expect(await told).toContain('io server disconnect');
  });
});
