/** Holds which pages may connect to a server by default and by its options, and that others cost nothing. */
import { describe, expect, it } from 'vitest';
import type { ProxyServerOptions } from '../../../src/index.js';
import { SECRET } from '../../support/tokens.js';
import { startReceivers } from '../stage.js';
import { basic, PASSWORD } from './ways.js';

const FOREIGN = 'https://evil.example';

type Options = Partial<ProxyServerOptions>;

const AMBIENT: ReadonlyArray<[string, Options]> = [
  ['users', { authentication: { users: { ada: PASSWORD } } }],
  ['a cookie', { authentication: { cookie: 'sid', jwt: { secret: SECRET } } }],
  ['certificates', { authentication: { certificate: 'common-name' } }],
  ['onAuthentication', { authentication: {}, onAuthentication: () => true }],
  ['onUnknownAuthentication', { authentication: {}, onUnknownAuthentication: () => true }],
];

const DELIBERATE: ReadonlyArray<[string, Options]> = [
  ['nothing', {}],
  ['tokens that a page has to know', { authentication: { subprotocol: 'bearer', jwt: { secret: SECRET } } }],
];

/** The status that a page of an origin gets, without credentials: 403 before they are asked for. */
async function statusFor(options: Options, origin: string | undefined, more: Record<string, string> = {}) {
  const running = await startReceivers({ ...options });
  const headers = {
    ...(origin === undefined ? {} : { Origin: origin.replace('PORT', String(running.port)) }),
    ...more,
  };
  return { status: (await running.handshake({ headers })).status, ...running };
}

describe.each(AMBIENT)('with %s, which browsers send by themselves', (_, options) => {
  it('only pages of the same origin may connect', async () => {
    expect((await statusFor(options, FOREIGN)).status).toBe(403);
    expect((await statusFor(options, 'null')).status).toBe(403);
    expect((await statusFor(options, 'http://127.0.0.1:PORT')).status).toBe(401);
  });

  it('clients that send no Origin may, being no browsers', async () => {
    expect((await statusFor(options, undefined)).status).toBe(401);
  });

  it('others may when they are named', async () => {
    expect((await statusFor({ ...options, origins: [FOREIGN] }, FOREIGN)).status).toBe(401);
    expect((await statusFor({ ...options, origins: ['*'] }, FOREIGN)).status).toBe(401);
    expect((await statusFor({ ...options, origins: [FOREIGN] }, 'http://127.0.0.1:PORT')).status).toBe(403);
  });
});

describe.each(DELIBERATE)('with %s', (_, options) => {
  it('pages of any origin may connect', async () => {
    const open = options.authentication === undefined ? 101 : 401;
    for (const origin of [FOREIGN, 'null', undefined]) expect((await statusFor(options, origin)).status).toBe(open);
  });
});

it('a page that may not connect is refused before its credentials are looked at, and without a receiver', async () => {
  let asked = 0;
  const { handshake, events } = await startReceivers({
    authentication: {},
    onAuthentication: () => {
      asked += 1;
      return true;
    },
    receiver: () => {
      throw new Error('made');
    },
  });
  const { headers } = basic('ada', PASSWORD);
  const answer = await handshake({ headers: { ...(headers as Record<string, string>), Origin: FOREIGN } });
  expect(answer.status).toBe(403);
  expect(events.rejections.all).toMatchObject([{ error: 'ORIGIN_DENIED', status: 403 }]);
  expect(asked).toBe(0);
});

it('an expression, given as a RegExp in code, has to match all of it', async () => {
  const origins = [/https:\/\/(app|www)\.example/];
  expect((await statusFor({ origins }, 'https://app.example')).status).toBe(101);
  expect((await statusFor({ origins }, 'https://app.example.evil')).status).toBe(403);
});

it('requireOrigin refuses clients that send none', async () => {
  expect((await statusFor({ requireOrigin: true }, undefined)).status).toBe(403);
  expect((await statusFor({ requireOrigin: true }, FOREIGN)).status).toBe(101);
});

it('two origins are no request', async () => {
  const { handshake } = await startReceivers({ origins: [FOREIGN] });
  expect((await handshake({ headers: [`Origin: ${FOREIGN}`, `Origin: ${FOREIGN}`] as never })).status).toBe(400);
});
