/** Owns that nothing is lost, mixed up or left behind when many plain requests end in every way there is, at once and at random. */
import { expect, it } from 'vitest';
import type { HttpReport } from '../../src/index.js';
import { expectQuiet, holdings } from '../support/descriptors.js';
import { eventually } from '../support/events.js';
import { bodyOf, type HttpTalk, startBackend, startBalancer } from './http-stage.js';

const ROUNDS = 30;
const CLIENTS = 12;

/** A generator of numbers from 0 up to 1 that a seed decides (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A backend that answers, breaks off, or breaks its connection, as the path says. */
const startRestless = () =>
  startBackend(async (request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return;
    if (request.url?.startsWith('/reset')) request.socket.resetAndDestroy();
    else if (request.url?.startsWith('/half')) response.write('half', () => request.socket.destroy());
    else response.end(`${request.url} ${body.toString()}`);
  });

it.each([1, 2, 3])('in order %i', async (seed) => {
  const random = randomFrom(seed);
  const before = holdings();
  const backends = [await startRestless(), await startRestless()];
  const balancer = await startBalancer(backends, { health: { check: 'off', maxFailures: 0 } });
  const reports: HttpReport[] = [];
  balancer.server.on('http.request', (report) => reports.push(report));
  let wrong = 0;
  let whole = 0;

  async function once(client: HttpTalk, at: string): Promise<boolean> {
    const what = random();
    const body = 'x'.repeat(Math.floor(random() * 20_000));
    const head = [`Content-Length: ${body.length}`];
    if (what < 0.1) {
      client.send(`POST /left-${at}`, head, body.slice(0, body.length / 2));
      client.connection.destroy();
      return false;
    }
    if (what < 0.2) {
      client.send(`GET /gone-${at}`);
      client.connection.reset();
      return false;
    }
    const path = what < 0.3 ? `/reset-${at}` : what < 0.4 ? `/half-${at}` : `/ok-${at}`;
    const answer = await client.ask(`POST ${path}`, head, body).catch(() => undefined);
    if (!path.startsWith('/ok')) {
      if (answer?.status === 200) wrong += 1;
      return answer !== undefined && answer.head.headers.connection !== 'close';
    }
    whole += 1;
    if (answer?.status !== 200 || answer.text !== `${path} ${body}`) wrong += 1;
    return answer !== undefined;
  }

  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, number) => {
      let client: HttpTalk | undefined;
      for (let round = 0; round < ROUNDS; round += 1) {
        client ??= await balancer.talk();
        if (!(await once(client, `${number}-${round}`))) {
          client.connection.destroy();
          client = undefined;
        }
      }
      client?.connection.destroy();
    }),
  );

  expect(wrong).toBe(0);
  expect(whole).toBeGreaterThan(ROUNDS);
  await eventually(() => balancer.server.backends().every(({ load }) => load === 0), 'nobody is on a backend');
  expect(balancer.exceptions.all).toEqual([]);
  expect(reports.filter(({ complete, status }) => complete && status === 200)).toHaveLength(whole);
  await balancer.server.stop();
  for (const { server } of backends) server.closeAllConnections();
  await Promise.all(backends.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  await expectQuiet(before);
});
