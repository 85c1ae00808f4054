/** Owns that plain requests of a client come to the backend that it had, and wait with everybody else while all are full. */
import { expect, it } from 'vitest';
import { eventually } from '../support/events.js';
import { HANDSHAKE, mirror, startBackend, startBalancer } from './http-stage.js';

it('a cookie that the balancer sets brings a client back, and is between the two of them', async () => {
  const backends = [await startBackend(mirror), await startBackend(mirror)];
  const { talk } = await startBalancer(backends, { affinity: { by: 'cookie' }, policy: 'random' });
  const first = await (await talk()).ask('GET /', ['Cookie: theirs=1']);
  const cookie = first.head.headers['set-cookie']!.split(';')[0]!;
  expect(cookie).toMatch(/^tidegate=/);
  const port = () => backends.map(({ requests }) => requests.length);
  const [one, two] = port();
  for (let round = 0; round < 10; round += 1) {
    const { text, head } = await (await talk()).ask('GET /', [`Cookie: theirs=1; ${cookie}`]);
    expect(text).toContain('theirs=1');
    expect(text).not.toContain('tidegate=');
    expect(head.headers['set-cookie'] ?? cookie).toContain(cookie.split('=')[0]!);
  }
  expect(port()).toEqual(one === 1 ? [11, two] : [one, 11]);
});

it('a client that cannot have its backend gets 503 where another one will not do', async () => {
  const backends = [
    { id: 'one', url: (await startBackend()).url },
    { id: 'two', url: (await startBackend()).url },
  ];
  const { talk, server } = await startBalancer([], {
    backends,
    affinity: { by: 'cookie', whenGone: 'refuse' },
    policy: 'first',
  });
  const { head } = await (await talk()).ask('GET /');
  const cookie = `Cookie: ${head.headers['set-cookie']!.split(';')[0]!}`;
  server.drainBackend('one');
  expect((await (await talk()).ask('GET /', [cookie])).status).toBe(503);
  expect((await (await talk()).ask('GET /')).status).toBe(200);
});

it('a request waits for room while every backend is full, and a client that leaves waits no more', async () => {
  const backend = await startBackend((request, response) => {
    if (request.url !== '/held') response.end('hello');
  });
  const { talk, server } = await startBalancer([], {
    backends: [{ url: backend.url, capacity: 1 }],
    queue: { max: 10 },
  });
  const holder = await talk();
  holder.send('GET /held');
  await eventually(() => backend.requests.length === 1, 'the only place is taken');
  const [waits, leaves] = [await talk(), await talk()];
  leaves.send('GET /left');
  waits.send('GET /waits');
  leaves.connection.destroy();
  holder.connection.destroy();
  expect((await waits.answer()).text).toBe('hello');
  expect(backend.requests.map(({ url }) => url)).toEqual(['/held', '/waits']);
  await eventually(() => server.backends()[0]!.load === 0, 'nobody is on it');
});

it('in redirect mode a connection that asked where to go is not kept, and no other request is forwarded', async () => {
  const backend = await startBackend();
  const { talk } = await startBalancer([backend], { mode: 'redirect' });
  const client = await talk();
  const { head, text } = await client.ask('GET /where');
  expect(head.headers.connection).toBe('close');
  expect(JSON.parse(text)).toMatchObject({ url: expect.stringContaining(`:${backend.port}`) });
  expect(backend.requests).toHaveLength(0);
});

it('where one path tells where to go, it does so by a connection that other requests came by', async () => {
  const backend = await startBackend();
  const { talk } = await startBalancer([backend], { mode: 'off', redirect: { path: '/where' } });
  const client = await talk();
  expect((await client.ask('GET /page')).text).toBe('hello');
  expect((await client.ask('GET /where')).text).toContain(`:${backend.port}`);
  const other = await talk();
  expect((await other.ask('GET /page')).text).toBe('hello');
  expect((await other.ask('GET /socket', HANDSHAKE)).status).toBe(403);
});
