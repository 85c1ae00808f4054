/** Owns that each example about load balancing does what it says, with clients that share no line with the implementation. */
import { once } from 'node:events';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBackend, startBalancer } from '../../examples/11-three-backends.js';
import { startServer, start as startSocketIo } from '../../examples/13-socket-io.js';
import { openClient } from '../support/for-one-test.js';

const TOKEN = 'a-secret-of-16-letters';

describe('11-three-backends', () => {
  async function stage(...names: string[]) {
    const balancer = await startBalancer(0, TOKEN);
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    const { port, url } = balancer.addresses[0]!;
    const join = async (name: string, token = TOKEN) => {
      const told = once(balancer, token === TOKEN ? 'backend.ready' : 'registration.refused');
      const backend = await startBackend(name, url, token);
      onTestFinished(() => backend.stop({ drainTimeout: 0 }));
      await told;
      return backend;
    };
    const backends = [];
    for (const name of names) backends.push(await join(name));
    return { balancer, port, join, backends };
  }

  it('spreads its clients evenly over the servers that registered themselves', async () => {
    const { port, balancer } = await stage('ada', 'bob', 'eve');
    const greetings: string[] = [];
    for (let index = 0; index < 6; index++) greetings.push(await (await openClient({ port })).nextText());
    expect(greetings.sort()).toEqual(['ada', 'ada', 'bob', 'bob', 'eve', 'eve'].map((name) => `you are on ${name}`));
    expect(balancer.backends().map(({ load, source }) => [load, source])).toEqual(Array(3).fill([2, 'registered']));
  });

  it('goes on with those that are left when one stops, and with one that comes', async () => {
    const { port, balancer, backends, join } = await stage('ada', 'bob');
    const clients = [await openClient({ port }), await openClient({ port })];
    const names = await Promise.all(clients.map((client) => client.nextText()));
    const gone = once(balancer, 'backend.gone');
    await backends[0]!.stop();
    await gone;
    const [stays] = clients.filter((_, index) => names[index] === 'you are on bob');
    stays!.sendText('still here');
    expect(await stays!.nextText()).toBe('bob got 10 characters');
    await join('eve');
    expect(await (await openClient({ port })).nextText()).toBe('you are on eve');
  });

  it('takes no server that does not know the token', async () => {
    const { join, balancer } = await stage('ada');
    await join('mallory', 'another-secret-of-letters');
    expect(balancer.backends().map(({ id }) => id)).toEqual(['ada']);
  });
});

describe('13-socket-io', () => {
  async function stage() {
    const [ada, bob] = [await startServer('ada'), await startServer('bob')];
    const balancer = await startSocketIo(0, { ada: ada.url, bob: bob.url });
    onTestFinished(async () => {
      await balancer.stop({ drainTimeout: 0 });
      await Promise.all([ada.io.close(), bob.io.close()]);
    });
    const { port } = balancer.addresses[0]!;
    const connect = async (options: Partial<ManagerOptions & SocketOptions> = {}) => {
      const own = { forceNew: true, reconnection: false, withCredentials: true };
      const socket = io(`http://127.0.0.1:${port}`, { ...own, ...options });
      onTestFinished(() => void socket.disconnect());
      const name = await new Promise<string>((resolve, reject) => {
        socket.on('welcome', resolve);
        socket.on('connect_error', reject);
        socket.on('disconnect', (reason) => reject(new Error(reason)));
      });
      return { socket, name };
    };
    return { balancer, connect };
  }

  const heard = (socket: Socket, text: string) => socket.timeout(5000).emitWithAck('say', text) as Promise<string>;

  it('brings clients from long-polling to a WebSocket on one server, and the next client to the other', async () => {
    const { connect } = await stage();
    const names = [];
    for (let index = 0; index < 4; index++) {
      const { socket, name } = await connect();
      const { engine } = socket.io;
      if (engine.transport.name !== 'websocket') await new Promise((resolve) => engine.once('upgrade', resolve));
      expect(engine.transport.name).toBe('websocket');
      expect(await heard(socket, 'me')).toBe(`${name} heard me`);
      names.push(name);
    }
    expect(names.filter((name) => name === 'ada')).toHaveLength(2);
  });

  it('serves clients that never get further than long-polling', async () => {
    const { connect } = await stage();
    const clients = [await connect({ transports: ['polling'] }), await connect({ transports: ['polling'] })];
    expect(clients.map(({ name }) => name).sort()).toEqual(['ada', 'bob']);
    for (const { socket, name } of clients) {
      for (let index = 0; index < 10; index++) expect(await heard(socket, `${index}`)).toBe(`${name} heard ${index}`);
    }
  });
});
