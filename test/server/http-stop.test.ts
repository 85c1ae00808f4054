/** Owns how plain requests end when their server stops or their backend goes: in order, in time, and without anything left. */
import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { startUpstream } from '../support/for-one-test.js';
import { localhostCertificate } from '../support/tls.js';
import { HANDSHAKE, startBackend, startBalancer } from './http-stage.js';

/** A backend whose answers are held until a test lets them go. */
async function startHolding() {
  const held: ServerResponse[] = [];
  const backend = await startBackend((_request, response) => held.push(response));
  return { ...backend, held };
}

const { key, cert } = localhostCertificate;

it.each([
  ['plain', undefined],
  ['over TLS', { key, cert }],
])('a stop lets a running request end, closes what waits, and leaves nothing: %s', async (_how, tls) => {
  const backend = await startHolding();
  const before = holdings();
  const balancer = await startBalancer([backend], { tls });
  const talk = () => balancer.talk(tls === undefined ? {} : { tls: true });
  const [busy, idle, late] = [await talk(), await talk(), await talk()];
  idle.send('GET /idle');
  await eventually(() => backend.held.length === 1, 'the first is there');
  backend.held[0]!.end('idle');
  expect((await idle.answer()).text).toBe('idle');
  busy.send('GET /busy');
  await eventually(() => backend.held.length === 2, 'the second is there');
  const stopped = balancer.server.stop();
  expect(await idle.connection.waitForEnd()).toBe('fin');
  await late.connection.waitForEnd();
  backend.held[1]!.end('done');
  const { text, head } = await busy.answer();
  expect([text, head.headers.connection]).toEqual(['done', 'close']);
  await stopped;
  expect(await busy.connection.waitForEnd()).toBe('fin');
  for (const client of [busy, idle, late]) client.connection.destroy();
  await expectQuiet(before);
});

it('a stop cuts what does not end within the drain deadline', async () => {
  const backend = await startHolding();
  const before = holdings();
  const balancer = await startBalancer([backend]);
  const waiting = await balancer.talk();
  waiting.send('GET /');
  const midway = await balancer.talk();
  midway.send('GET /');
  await eventually(() => backend.held.length === 2, 'they are there');
  backend.held[1]!.write('half');
  await midway.connection.readUntil('half');
  await balancer.server.stop({ drainTimeout: 50 });
  for (const client of [waiting, midway]) await client.connection.waitForEnd();
  for (const client of [waiting, midway]) client.connection.destroy();
  await expectQuiet(before);
});

it('a stop without a drain cuts at once, whatever requests are up to', async () => {
  const backend = await startHolding();
  const before = holdings();
  const balancer = await startBalancer([backend]);
  const clients = await Promise.all(Array.from({ length: 20 }, () => balancer.talk()));
  for (const [at, client] of clients.entries()) {
    if (at % 2 === 0) client.send('POST /', ['Content-Length: 10'], 'half');
    else client.connection.write('GET / HTTP/1.1\r\n');
  }
  await eventually(() => backend.requests.length === 10, 'they are there');
  await balancer.server.stop({ drainTimeout: 0 });
  for (const client of clients) await client.connection.waitForEnd();
  for (const client of clients) client.connection.destroy();
  await expectQuiet(before);
});

it('disconnectAll is no affair of plain requests', async () => {
  const backend = await startHolding();
  const { talk, server } = await startBalancer([backend]);
  const client = await talk();
  client.send('GET /');
  await eventually(() => backend.held.length === 1, 'it is there');
  expect(await server.disconnectAll()).toBe(0);
  backend.held[0]!.end('still here');
  expect((await client.answer()).text).toBe('still here');
});

it('a restarted server serves again', async () => {
  const { talk, server } = await startBalancer([await startBackend()]);
  const client = await talk();
  expect((await client.ask('GET /')).status).toBe(200);
  await server.restart();
  expect((await (await talk()).ask('GET /')).status).toBe(200);
});

it('a backend that is drained ends its requests first, and streams of events are sent elsewhere', async () => {
  const leaving = await startHolding();
  const staying = await startBackend();
  const balancer = await startBalancer([], {
    backends: [
      { id: 'leaving', url: leaving.url },
      { id: 'staying', url: staying.url },
    ],
    policy: 'first',
    drain: { whenDraining: 'close' },
  });
  const [request, events] = [await balancer.talk(), await balancer.talk()];
  request.send('GET /');
  await eventually(() => leaving.held.length === 1, 'the request is there');
  events.send('GET /events');
  await eventually(() => leaving.held.length === 2, 'the stream is there');
  leaving.held[1]!.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  await events.connection.readUntil('\n\n\r\n');
  balancer.server.drainBackend('leaving');
  await events.connection.waitForEnd();
  expect((await (await balancer.talk()).ask('GET /')).text).toBe('hello');
  leaving.held[0]!.end('done');
  expect((await request.answer()).text).toBe('done');
  await eventually(() => balancer.server.backends()[0]!.load === 0, 'nobody is on it');
});

it('a backend that is removed keeps no connection', async () => {
  const backend = await startBackend();
  const { talk, server } = await startBalancer([], { backends: [{ id: 'one', url: backend.url }] });
  expect((await (await talk()).ask('GET /')).status).toBe(200);
  const [connection] = backend.connections;
  server.removeBackend('one');
  await eventually(() => connection!.destroyed || connection!.readableEnded, 'its connection is closed');
});

it('a WebSocket by a connection that had plain requests before ends with its server like any other', async () => {
  const upstream = await startUpstream();
  const before = holdings();
  const { server, talk } = await startBalancer([upstream], { onHttpRequest: (_request, plan) => plan.respond(204) });
  const client = await talk();
  expect((await client.ask('GET /')).status).toBe(204);
  const { status } = await client.ask('GET /', HANDSHAKE);
  expect(status).toBe(101);
  const stopped = server.stop({ drainTimeout: 200 });
  const close = await client.connection.read(4);
  expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1012]);
  await stopped;
  client.connection.destroy();
  await upstream.close();
  await expectQuiet(before);
});
