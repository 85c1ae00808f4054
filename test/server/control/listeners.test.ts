/** Owns where backends register and by what: a listener of their own, TLS and certificates, room; and what `advertise: 'auto'` says. */
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer, type LoadBalancerOptions, ReceiverServer, type TidegateError } from '../../../src/index.js';
import { TestAuthority } from '../../support/authority.js';
import { eventually } from '../../support/events.js';
import { receiverFactory } from '../../support/recording-receiver.js';
import { Client, createAgent, inState, RawBackend, startBackend, startBalancer, TOKEN } from './stage.js';

const authority = new TestAuthority();
const serverCertificate = authority.issue({ names: ['127.0.0.1', 'localhost'] });
const backendCertificate = authority.issue({ name: 'backend-1', names: ['backend.example.org'] });
const otherCertificate = authority.issue({ name: 'somebody', names: ['somebody.example.org'] });

/** A balancer whose second listener is for control channels, with TLS and client certificates. */
async function startSecure(control: LoadBalancerOptions['control'] = {}) {
  const { cert, key } = serverCertificate;
  const tls = { cert, key, ca: authority.cert, clientAuth: 'request' as const };
  const balancer = new LoadBalancer({
    listen: [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: 0, role: 'control', tls },
    ],
    control,
    health: { check: 'off' },
  });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [client, secure] = await balancer.start();
  return { balancer, url: client!.url, control: secure!.url };
}

describe('a listener for control channels', () => {
  it('takes them on any path, and nobody else does', async () => {
    const { balancer, url, control } = await startSecure({ tokens: [TOKEN] });
    const { url: own } = await startBackend('a');
    const tls = { ca: authority.cert };
    createAgent({ balancer: `${control}/any/path`, advertise: own, id: 'a', tls }).start();
    await inState(balancer, 'a', 'ready');
    expect(await (await Client.open(url)).ask('hello')).toBe('a: hello');
    const other = await Client.open(`${url}/.tidegate/control`, ['tidegate.control.v1']);
    expect(await other.ask('hello')).toBe('a: hello');
  });

  it('takes a client certificate in place of a token', async () => {
    const { balancer, control } = await startSecure();
    const { cert, key } = backendCertificate;
    const tls = { ca: authority.cert, cert, key };
    const agent = createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: 'a', tls, token: undefined });
    agent.start();
    await inState(balancer, 'a', 'ready');
  });

  it.each([
    ['none', {}, 'a client certificate that verifies is needed'],
    ['one of another name', otherCertificate, 'the client certificate of "somebody" may not register'],
    [
      'one that nobody signed',
      new TestAuthority('Other').issue({ name: 'backend-1' }),
      'a client certificate that verifies is needed',
    ],
  ])('refuses a backend with %s', async (_what, certificate, text) => {
    const { balancer, control } = await startSecure({ certificateNames: ['backend.example.org', 'backend-1'] });
    const { cert, key } = certificate as { cert?: string; key?: string };
    const tls = { ca: authority.cert, ...(cert === undefined ? {} : { cert, key }) };
    const agent = createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', tls, token: undefined });
    const failed = once(agent, 'balancer.error') as Promise<[unknown, TidegateError]>;
    agent.start();
    const [, error] = await failed;
    expect(error.message).toContain(`it refused the backend (unauthorized): ${text}`);
    expect(balancer.backends()).toEqual([]);
  });

  it.each(['backend.example.org', 'backend-1'])('takes a certificate by its name %s', async (name) => {
    const { balancer, control } = await startSecure({ certificateNames: [name] });
    const { cert, key } = backendCertificate;
    const tls = { ca: authority.cert, cert, key };
    createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: 'a', tls, token: undefined }).start();
    await inState(balancer, 'a', 'ready');
  });

  it('is not believed by a backend that does not trust its certificate', async () => {
    const { balancer, control } = await startSecure({ tokens: [TOKEN] });
    const agent = createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9' });
    const failed = once(agent, 'balancer.error') as Promise<[unknown, TidegateError]>;
    agent.start();
    const [, error] = await failed;
    expect(error.message).toMatch(/certificate/);
    expect(balancer.backends()).toEqual([]);
  });

  it('needs somebody who may be let in, where clients connect', () => {
    expect(() => new LoadBalancer({ control: { path: '/control' } })).toThrow(
      /control\.tokens: .*expected it beside control\.path/,
    );
    expect(() => new LoadBalancer({ control: { path: '/control', certificateNames: ['a'] } })).not.toThrow();
    expect(() => new LoadBalancer({ control: { tokens: ['short'] } })).toThrow('at least 16 characters');
  });
});

describe('a full balancer', () => {
  it('has room for backends, when it is kept', async () => {
    const { balancer, url, control } = await startBalancer({ limits: { maxConnections: 4, reservedConnections: 2 } });
    const { url: own } = await startBackend('a');
    createAgent({ balancer: control, advertise: own, id: 'a' }).start();
    await inState(balancer, 'a', 'ready');
    const clients: Client[] = [];
    await expect(
      (async () => {
        for (;;) clients.push(await Client.open(url));
      })(),
    ).rejects.toThrow('503');
    expect(clients.length).toBe(2);
    const late = await RawBackend.open(control);
    expect(await late.register({ id: 'late' })).toMatchObject({ type: 'registered' });
  });
});

describe('backends of clients that need to show who they are', () => {
  it('register without their credentials', async () => {
    const { balancer, control } = await startBalancer({ authentication: { users: { anna: 'password' } } });
    createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: 'a' }).start();
    await inState(balancer, 'a', 'ready');
  });
});

describe("advertise: 'auto'", () => {
  it('is where the server listens for clients, whatever the port', async () => {
    const { balancer, control } = await startBalancer();
    const { cert, key } = serverCertificate;
    const { server } = await startBackend('a', {
      listen: [
        { host: '127.0.0.1', port: 0 },
        { host: '127.0.0.1', port: 0, tls: { cert, key } },
        { host: '127.0.0.1', port: 0, role: 'control' },
      ],
      register: { balancer: control, token: TOKEN, id: 'a' },
    });
    await inState(balancer, 'a', 'ready');
    const urls = server.addresses.map(({ url }) => url);
    expect(balancer.backends()[0]!.bindings).toEqual(urls.slice(0, 2));
    expect(urls[1]).toMatch(/^wss:/);
  });

  it.each(['0.0.0.0:0', '[::]:0', '0'])(
    'fails the start of a server that listens on %s, and says what to write',
    async (listen) => {
      const { balancer, control } = await startBalancer();
      const register = { balancer: control, token: TOKEN };
      const server = new ReceiverServer({ listen, register, receiver: receiverFactory().create });
      await expect(server.start()).rejects.toThrow(
        /'auto', but the server listens on .*advertise: \['ws:\/\/10\.0\.0\.7:8080'\]/,
      );
      expect(server.state).toBe('stopped');
      expect(balancer.backends()).toEqual([]);
    },
  );

  it('is nothing for an agent without a server', () => {
    const make = () => createAgent({ balancer: 'ws://127.0.0.1:1', advertise: 'auto' });
    expect(make).toThrow("advertise: got 'auto'; expected addresses");
  });
});

describe('the options of an agent', () => {
  it.each([
    [{ balancer: 'http://127.0.0.1' }, 'balancer: got "http://127.0.0.1"; expected the control address'],
    [{ balancer: 'ws://user:password@127.0.0.1' }, 'expected the control address'],
    [{ balancer: [] }, 'expected the control address'],
    [{ token: 'short' }, 'token: got'],
    [{ advertise: 'ws://0.0.0.0:1' }, 'leads nowhere from another machine'],
    [{ advertise: [] }, 'advertise'],
    [{ advertise: ['auto', 'ws://127.0.0.1:1'] }, "'auto' stands alone"],
    [{ id: 'a b' }, 'id: got "a b"; expected 1 to 128 letters'],
    [{ weight: 0 }, 'weight: got 0; expected a number above 0'],
    [{ capacity: -1 }, 'capacity: got -1; expected a whole number'],
    [{ colour: 'blue' }, 'unknown option colour'],
    [{ connections: 5 }, 'connections: got number; expected a function'],
  ])('%j are refused', (wrong, text) => {
    const right = { balancer: 'ws://127.0.0.1:1', advertise: 'ws://127.0.0.1:2' };
    expect(() => createAgent({ ...right, ...(wrong as object) })).toThrow(text);
  });

  it('show no token in what is said of a wrong one', () => {
    const right = { balancer: 'ws://127.0.0.1:1', advertise: 'ws://127.0.0.1:2' };
    let message = '';
    try {
      createAgent({ ...right, token: 'too-short' });
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).toContain('token');
    expect(message).not.toContain('too-short');
  });

  it('name a backend of their own when they name none', () => {
    const right = { balancer: 'ws://127.0.0.1:1', advertise: 'ws://127.0.0.1:2' };
    const [one, two] = [createAgent(right), createAgent(right)];
    expect(one!.id).toMatch(new RegExp(`-${process.pid}-[0-9a-f]{8}$`));
    expect(two!.id).not.toBe(one!.id);
  });
});

describe('what a listener of an agent throws', () => {
  it('is told as `exception`, and ends nothing', async () => {
    const { balancer, control } = await startBalancer();
    const agent = createAgent({ balancer: control, advertise: 'ws://127.0.0.1:9', id: 'a' });
    const thrown: unknown[] = [];
    agent.on('exception', (error) => thrown.push(error));
    agent.on('balancer.connected', () => {
      throw new Error('from a listener');
    });
    agent.start();
    await inState(balancer, 'a', 'ready');
    await eventually(() => thrown.length === 1, 'it was told');
    expect(agent.state).toBe('registered');
  });
});
