/** Holds that a plain TCP client, which can show no credentials but a certificate, gets in by that or not at all. */
import { expect, it } from 'vitest';
import type { ProxyServerOptions, ReceiverServerOptions } from '../../../src/index.js';
import { openTcp } from '../../support/for-one-test.js';
import { receiverFactory } from '../../support/recording-receiver.js';
import { localhostCertificate, otherCertificate } from '../../support/tls.js';
import { startReceivers } from '../stage.js';
import { PASSWORD } from './ways.js';

const LISTEN = { host: '127.0.0.1', port: 0, protocol: 'tcp' } as const;
// The certificates of the tests are their own authorities.
const TLS = {
  ...LISTEN,
  tls: { ...localhostCertificate, clientAuth: 'request', ca: otherCertificate.cert },
} as const;
const client = { rejectUnauthorized: false, servername: 'localhost' };

async function start(
  authentication: ProxyServerOptions['authentication'],
  options: Partial<ReceiverServerOptions> = {},
) {
  const { create, receivers } = receiverFactory({
    onBinary: (data, { connection }) => void connection.send(data),
  });
  return { ...(await startReceivers({ listen: LISTEN, authentication, receiver: create, ...options })), receivers };
}

it.each<[string, ProxyServerOptions['authentication'], Partial<ReceiverServerOptions>]>([
  ['users', { users: { ada: PASSWORD } }, {}],
  ['a first message, which it has not', { users: { ada: PASSWORD }, firstMessage: true }, {}],
  ['a hook', {}, { onAuthentication: () => true }],
  ['certificates, over a listener without TLS', { certificate: 'common-name' }, {}],
  [
    'users, taken in by onTcpConnect',
    { users: { ada: PASSWORD } },
    { listen: '127.0.0.1:0', onTcpConnect: () => 'tcp' },
  ],
  [
    'users, taken in by onUnknownProtocol',
    { users: { ada: PASSWORD } },
    { listen: '127.0.0.1:0', onUnknownProtocol: () => true },
  ],
])(
  'where there are %s, it is ended without a word, and no receiver sees it',
  async (_what, authentication, options) => {
    const { port, events, receivers } = await start(authentication, options);
    const connection = await openTcp({ port });
    connection.write('\x00hello');
    expect((await connection.readAll()).length).toBe(0);
    expect(await events.rejections.next()).toMatchObject({ error: 'UNAUTHENTICATED', remoteAddress: '127.0.0.1' });
    expect(receivers).toEqual([]);
    expect(events.connections.all).toEqual([]);
  },
);

it('where nobody has to say who it is, it gets in without a principal', async () => {
  const { port, events } = await start({ users: { ada: PASSWORD }, allowAnonymous: true });
  const connection = await openTcp({ port });
  connection.write('hello');
  expect((await connection.read(5)).toString()).toBe('hello');
  expect((await events.connections.next()).principal).toBeUndefined();
});

it('a verified certificate is its principal', async () => {
  const { port, events } = await start({ certificate: 'common-name' }, { listen: TLS });
  const connection = await openTcp({ port, tls: { ...client, ...otherCertificate } });
  connection.write('hello');
  expect((await connection.read(5)).toString()).toBe('hello');
  expect((await events.connections.next()).principal).toMatchObject({ name: 'other.example', scheme: 'certificate' });
});

it.each([
  ['no certificate', client],
  ['one that is not verified', { ...client, ...localhostCertificate }],
])('%s is refused', async (_what, tls) => {
  const { port, events, receivers } = await start({ certificate: 'common-name' }, { listen: TLS });
  const connection = await openTcp({ port, tls });
  expect((await connection.readAll()).length).toBe(0);
  expect(await events.rejections.next()).toMatchObject({ error: 'UNAUTHENTICATED' });
  expect(receivers).toEqual([]);
});
