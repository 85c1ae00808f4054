/** Holds that a verified client certificate says who a client is, and one that is not verified says nothing. */
import { expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../../src/index.js';
import { openTcp } from '../../support/for-one-test.js';
import { localhostCertificate, otherCertificate } from '../../support/tls.js';
import { startReceivers } from '../stage.js';
import { basic, PASSWORD } from './ways.js';

// The certificates of the tests are their own authorities.
const listen = {
  host: '127.0.0.1',
  port: 0,
  tls: { ...localhostCertificate, clientAuth: 'request' as const, ca: otherCertificate.cert },
};
const client = { tls: { rejectUnauthorized: false, servername: 'localhost' } };
const known = { tls: { ...client.tls, ...otherCertificate } };
const unknown = { tls: { ...client.tls, ...localhostCertificate } };

async function stage(authentication: ProxyServerOptions['authentication']) {
  return startReceivers({ listen, authentication });
}

it.each(['common-name', 'alternative-name'] as const)('by its %s, until it expires', async (certificate) => {
  const { handshake, server } = await stage({ certificate });
  expect((await handshake(known)).status).toBe(101);
  const { principal } = server.connections[0]!;
  expect(principal).toMatchObject({ name: 'other.example', scheme: 'certificate' });
  expect(principal?.expiresAt).toBeGreaterThan(Date.now());
});

it('but not without one, or with one of an authority that is not trusted', async () => {
  const { handshake } = await stage({ certificate: 'common-name' });
  expect((await handshake(client)).status).toBe(401);
  expect((await handshake(unknown)).status).toBe(401);
});

it('unless other credentials say it, or nobody asked for certificates', async () => {
  const { handshake, server } = await stage({ certificate: 'common-name', users: { ada: PASSWORD } });
  expect((await handshake({ ...known, ...basic('ada', PASSWORD) })).status).toBe(101);
  expect(server.connections[0]?.principal).toMatchObject({ name: 'ada', scheme: 'basic' });
  expect((await handshake({ ...known, ...basic('ada', 'wrong') })).status).toBe(401);
  const off = await stage({ users: { ada: PASSWORD } });
  expect((await off.handshake(known)).status).toBe(401);
});

it('also of a plain TCP client, who is refused without one: it can show nothing else', async () => {
  const tcp = { ...listen, protocol: 'tcp' as const };
  const { port, events } = await startReceivers({ listen: tcp, authentication: { certificate: 'common-name' } });
  const stranger = await openTcp({ port, ...client });
  expect(await events.rejections.next()).toMatchObject({ error: 'UNAUTHENTICATED' });
  expect(await stranger.waitForEnd()).toBe('fin');
  await openTcp({ port, ...known });
  expect((await events.connections.next()).principal).toMatchObject({ name: 'other.example', scheme: 'certificate' });
});
