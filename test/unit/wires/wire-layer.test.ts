/** Owns which socket layer is chosen, what happens where there is no fast one, and that a layer makes wires of any socket. */
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandleWire } from '../../../src/server/wires/handle-wire.js';
import { SocketWire } from '../../../src/server/wires/socket-wire.js';
import type { Wire } from '../../../src/server/wires/wire.js';
import { chooseLayer, type IoChoice } from '../../../src/server/wires/wire-layer.js';
import { waitForEvent } from '../../support/events.js';
import { refusedPort, TcpPeer, unansweredPort } from '../../support/tcp-peer.js';
import { localhostCertificate } from '../../support/tls.js';
import { LAYERS, recordOf, SETTINGS } from '../../support/wires.js';

let asked: string | undefined;
beforeEach(() => {
  asked = process.env.TIDEGATE_IO;
  delete process.env.TIDEGATE_IO;
});
afterEach(() => {
  if (asked === undefined) delete process.env.TIDEGATE_IO;
  else process.env.TIDEGATE_IO = asked;
  vi.restoreAllMocks();
  vi.resetModules();
});

/** The module as it is in a process that has not looked for handles yet, and finds none like ours. */
async function withoutHandles(stub: () => unknown): Promise<(choice: IoChoice) => { kind: string }> {
  vi.resetModules();
  vi.spyOn(process as unknown as { binding(name: string): unknown }, 'binding').mockImplementation(stub);
  return (await import('../../../src/server/wires/wire-layer.js')).chooseLayer;
}

const refuse = (): never => {
  throw new Error('No such module');
};

describe('the choice of a layer', () => {
  it.each<[IoChoice, string | undefined, string]>([
    ['portable', undefined, 'portable'],
    ['fast', undefined, 'fast'],
    ['auto', undefined, 'fast'],
    ['auto', 'portable', 'portable'],
    ['auto', 'fast', 'fast'],
    ['auto', 'auto', 'fast'],
    ['auto', 'something else', 'fast'],
    ['fast', 'portable', 'fast'],
    ['portable', 'fast', 'portable'],
  ])('%s, with TIDEGATE_IO %s, is %s', (choice, environment, kind) => {
    if (environment !== undefined) process.env.TIDEGATE_IO = environment;
    expect(chooseLayer(choice).kind).toBe(kind);
  });

  it('is the same layer each time', () => {
    expect(chooseLayer('fast')).toBe(chooseLayer('auto'));
    expect(chooseLayer('portable')).toBe(chooseLayer('portable'));
  });
});

describe.each<[string, () => unknown]>([
  ['keeps its handles to itself', refuse],
  ['has no such bindings', () => undefined],
  ['has handles without what is needed', () => ({ TCP: class {}, constants: {}, streamBaseState: [] })],
])('a Node.js that %s', (_, stub) => {
  it('gets the portable layer from auto', async () => {
    const choose = await withoutHandles(stub);
    expect(choose('auto').kind).toBe('portable');
    expect(choose('portable').kind).toBe('portable');
  });

  it.each<[IoChoice, string | undefined]>([
    ['fast', undefined],
    ['auto', 'fast'],
  ])('is told so when the fast layer is asked for by %s and TIDEGATE_IO %s', async (choice, environment) => {
    if (environment !== undefined) process.env.TIDEGATE_IO = environment;
    const choose = await withoutHandles(stub);
    expect(() => choose(choice)).toThrow(
      expect.objectContaining({ code: 'IO_UNAVAILABLE', message: expect.stringContaining(process.version) }),
    );
  });
});

it('a portable layer looks for no handles', async () => {
  const choose = await withoutHandles(refuse);
  choose('portable');
  expect((process as unknown as { binding: unknown }).binding).not.toHaveBeenCalled();
});

it('Windows has no fast layer', async () => {
  vi.resetModules();
  vi.spyOn(process, 'platform', 'get').mockReturnValue('win32');
  const { chooseLayer: choose } = await import('../../../src/server/wires/wire-layer.js');
  expect(choose('auto').kind).toBe('portable');
  expect(() => choose('fast')).toThrow(expect.objectContaining({ message: expect.stringContaining('Windows') }));
});

describe.each(LAYERS.map((layer) => [layer.kind, layer] as const))('the %s layer', (kind, layer) => {
  it.each(['TCP', 'a Unix domain socket'])(
    'makes a wire of a connected socket over %s that loses nothing',
    async (over) => {
      const peer = await TcpPeer.start({
        unix: over !== 'TCP',
        onConnection: ({ socket }) => void socket.write('hello'),
      });
      onTestFinished(() => peer.close());
      const allowHalfOpen = true;
      const path = peer.url.replace(/^unix:/, '');
      const socket =
        over === 'TCP'
          ? net.connect({ port: peer.port, host: '127.0.0.1', allowHalfOpen })
          : net.connect({ path, allowHalfOpen });
      socket.on('error', () => {});
      await waitForEvent(socket, 'readable');
      socket.pause();
      const wire = layer.wireOf(socket, SETTINGS);
      onTestFinished(() => wire.terminate());
      expect(wire).toBeInstanceOf(kind === 'fast' ? HandleWire : SocketWire);
      const record = recordOf(wire);
      const connection = await peer.nextConnection();
      connection.end(' world');
      wire.read();
      expect(await record.all()).toBe('hello world');
      wire.write(Buffer.from('back'));
      wire.end();
      expect((await connection.readAll()).toString()).toBe('back');
    },
  );

  it('makes a wire of a TLS socket that speaks TLS', async () => {
    const server = tls.createServer(localhostCertificate, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await waitForEvent(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: localhostCertificate.cert });
    await waitForEvent(socket, 'secureConnect');
    socket.pause();
    const wire = layer.wireOf(socket, SETTINGS);
    const record = recordOf(wire);
    expect(wire).toBeInstanceOf(SocketWire);
    wire.write(Buffer.from('secret'));
    wire.read();
    expect(await record.next(6)).toBe('secret');
    wire.end();
    await record.saw('closed');
  });

  it('survives a socket that was gone before it became a wire', async () => {
    const peer = await TcpPeer.start();
    onTestFinished(() => peer.close());
    const socket = net.connect(peer.port, '127.0.0.1');
    await waitForEvent(socket, 'connect');
    socket.destroy();
    await waitForEvent(socket, 'close');
    const wire = layer.wireOf(socket, SETTINGS);
    const record = recordOf(wire);
    expect([wire.closed, wire.bufferedBytes, wire.write(Buffer.from('x'))]).toEqual([true, 0, true]);
    await record.saw('closed');
    expect(record.told).toEqual(['closed']);
  });

  it('tells its observer about each accepted connection, once it came and once it is gone', async () => {
    const told: string[] = [];
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await waitForEvent(server, 'listening');
    const done = new Promise<void>((resolve) => {
      layer.accept(server, SETTINGS, {
        opened: (wire) => {
          told.push('opened');
          wire.attach({
            onBytes() {},
            onEnd: () => wire.end(),
            onDrain() {},
            onClosed: () => void told.push('closed'),
          });
          wire.read();
        },
        gone: () => {
          told.push('gone');
          if (told.filter((what) => what === 'gone').length === 2) resolve();
        },
      });
    });
    for (let n = 0; n < 2; n += 1) {
      const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1', () => client.end());
      await waitForEvent(client.resume(), 'close');
    }
    await done;
    expect(told.sort()).toEqual(['closed', 'closed', 'gone', 'gone', 'opened', 'opened']);
  });
});

it('the portable layer takes connections as streams where their handles cannot read into memory that they are given', async () => {
  const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await waitForEvent(server, 'listening');
  const opened = new Promise<Wire>((resolve) => {
    chooseLayer('portable').accept(server, SETTINGS, { opened: resolve, gone() {} });
  });
  const { _handle } = server as unknown as { _handle: { onconnection(status: number, handle: object): void } };
  const taken = _handle.onconnection;
  _handle.onconnection = (status, handle) => {
    taken.call(_handle, status, Object.assign(handle, { useUserBuffer: undefined }));
  };
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1', () => client.end('hello'));
  const wire = await opened;
  const record = recordOf(wire);
  wire.read();
  expect(await record.all()).toBe('hello');
  wire.end();
  await waitForEvent(client.resume(), 'close');
});

describe('the way of the fast layer to connect', () => {
  const { connect } = chooseLayer('fast');
  const go = (address: string, port: number, signal = new AbortController().signal) =>
    connect!(address, port, SETTINGS, signal);

  it('fails as net.connect does', async () => {
    const port = await refusedPort();
    const theirs = await waitForEvent<[Error]>(net.connect(port, '127.0.0.1'), 'connect').catch(
      (error: Error) => error,
    );
    await expect(go('127.0.0.1', port)).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      message: expect.stringContaining((theirs as Error).message),
    });
    await expect(go('::1', port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('fails for an address that is none, without leaving a handle', async () => {
    await expect(go('not an address', 1)).rejects.toMatchObject({ code: 'EINVAL' });
  });

  it('gives up with the reason of the signal', async () => {
    const unanswered = await unansweredPort();
    onTestFinished(() => unanswered.close());
    const controller = new AbortController();
    const waiting = go('127.0.0.1', unanswered.port, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
