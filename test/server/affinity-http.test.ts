/** Owns that plain requests and WebSockets of one client come to the same backend, whichever came first. */
import { expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { LoadBalancer, type LoadBalancerOptions } from '../../src/index.js';
import { waitForEvent } from '../support/events.js';
import { type HttpBackend, startBackend } from './http-stage.js';

/** Backends that say their name to requests and to WebSockets. */
async function start(options: LoadBalancerOptions) {
  const backends: Record<string, HttpBackend> = {};
  for (const name of ['a', 'b', 'c']) {
    const backend = await startBackend((_request, response) =>
      response.setHeader('set-cookie', `own=${name}`).end(name),
    );
    const sockets = new WebSocketServer({ server: backend.server });
    sockets.on('connection', (socket, request) => {
      backend.requests.push(request);
      socket.send(name);
    });
    onTestFinished(() => {
      for (const socket of sockets.clients) socket.terminate();
    });
    backends[name] = backend;
  }
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: Object.entries(backends).map(([id, { url }]) => ({ id, url })),
    policy: 'random',
    ...options,
  });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const { port } = address!;
  /** The name of the backend, and the cookies that were set. */
  const ask = async (headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}/page`, { headers });
    return { name: await response.text(), cookies: response.headers.getSetCookie() };
  };
  const open = async (headers: Record<string, string> = {}) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers });
    onTestFinished(() => socket.terminate());
    const [[{ headers: answer }], [data]] = await Promise.all([
      waitForEvent<[{ headers: Record<string, string[]> }]>(socket, 'upgrade'),
      waitForEvent(socket, 'message'),
    ]);
    return { name: String(data), cookies: answer['set-cookie'] ?? [] };
  };
  return { balancer, backends, ask, open };
}

const pairOf = (cookie: string | undefined): string => cookie?.split(';', 1)[0] ?? '';

it('the cookie of a page leads its WebSocket to the same backend, and the other way round', async () => {
  const { ask, open } = await start({ affinity: { by: 'cookie' } });
  for (const [first, second] of [
    [ask, open],
    [open, ask],
  ] as const) {
    const { name, cookies } = await first();
    const Cookie = pairOf(cookies.find((cookie) => cookie.startsWith('tidegate=')));
    expect(Cookie).not.toBe('');
    for (let count = 0; count < 5; count += 1) {
      const [again, other] = [await first({ Cookie }), await second({ Cookie })];
      expect([again.name, other.name]).toEqual([name, name]);
      for (const { cookies: set } of [again, other]) expect(set.some((one) => one.startsWith('tidegate='))).toBe(false);
    }
  }
});

it('the cookie stands beside those of the backend, which does not get it', async () => {
  const { ask, open, backends } = await start({ affinity: { by: 'cookie' } });
  const { name, cookies } = await ask();
  expect(cookies.map((cookie) => cookie.split('=')[0]).sort()).toEqual(['own', 'tidegate']);
  const ours = pairOf(cookies.find((cookie) => cookie.startsWith('tidegate=')));
  await ask({ Cookie: `x=1; ${ours}; y=2` });
  await open({ Cookie: `x=1; ${ours}; y=2` });
  const { requests } = backends[name]!;
  const got = requests.filter(({ url }) => url === '/page' || url === '/socket').map(({ headers }) => headers.cookie);
  expect(got).toEqual([undefined, 'x=1; y=2', 'x=1; y=2']);
});

it('when its backend is drained, a plain request moves the client, and its WebSocket follows', async () => {
  const { ask, open, balancer } = await start({ affinity: { by: 'cookie' } });
  const first = await ask();
  balancer.drainBackend(first.name);
  const ours = ({ cookies }: { cookies: string[] }) => pairOf(cookies.find((cookie) => cookie.startsWith('tidegate=')));
  const moved = await ask({ Cookie: ours(first) });
  expect(moved.name).not.toBe(first.name);
  balancer.resumeBackend(first.name);
  expect((await open({ Cookie: ours(moved) })).name).toBe(moved.name);
});

it('by a header both come to the same backend, and are remembered', async () => {
  const { ask, open } = await start({ affinity: { by: 'header:X-Session' } });
  for (const session of ['1', '2', '3', '4']) {
    const headers = { 'X-Session': session };
    const { name } = await ask(headers);
    expect([(await open(headers)).name, (await ask(headers)).name]).toEqual([name, name]);
  }
});
