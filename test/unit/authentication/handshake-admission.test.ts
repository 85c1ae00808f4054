/** Owns what an admission tells those who count users and wrong credentials, and when. */
import { describe, expect, it } from 'vitest';
import type { Principal, ProxyConfigInput, UpgradeRequest } from '../../../src/index.js';
import { Authenticator } from '../../../src/server/authentication/authenticator.js';
import type { Credentials } from '../../../src/server/authentication/credentials.js';
import {
  type AuthenticationPorts,
  HandshakeAdmission,
} from '../../../src/server/authentication/handshake-admission.js';
import { resolveProxyOptions } from '../../../src/server/config/options.js';

type Input = NonNullable<ProxyConfigInput['authentication']>;

const SEAT = { release() {} };

function create(options: Input, credentials: Credentials | undefined, ports: Partial<AuthenticationPorts> = {}) {
  const told: string[] = [];
  const config = resolveProxyOptions({ authentication: options }).authentication!;
  const request = { remoteAddress: '192.0.2.1', remotePort: 5 } as UpgradeRequest & {
    principal: Principal | undefined;
  };
  const authenticator = new Authenticator({ config, hooks: {}, exception: () => {} });
  const admission = new HandshakeAdmission({
    authenticator,
    ports: {
      offence: ({ remoteAddress }, weight, why) => void told.push(`offence ${remoteAddress} ${weight} ${why}`),
      user: (name) => {
        told.push(`user ${name}`);
        return SEAT;
      },
      ...ports,
    },
    request,
    port: () => {
      throw new Error('nothing is read');
    },
    credentials,
  });
  return { admission, authenticator, told, request };
}

const password = (text: string): Credentials => ({ kind: 'password', scheme: 'basic', user: 'ada', password: text });
const USERS: Input = { users: { ada: 'right' } };

describe('an admission', () => {
  it('tells of wrong and malformed credentials, once each', async () => {
    for (const credentials of [password('wrong'), { kind: 'malformed', message: 'it is' } as const]) {
      const { admission, told } = create(USERS, credentials);
      expect(await admission.admit()).toMatchObject({ status: 401, error: 'INVALID_CREDENTIALS' });
      expect(told).toEqual(['offence 192.0.2.1 5 INVALID_CREDENTIALS']);
    }
  });

  it('does not tell of missing ones: a client may come without them first, and is asked', async () => {
    const { admission, told } = create(USERS, undefined);
    expect(await admission.admit()).toMatchObject({ status: 401, error: 'UNAUTHENTICATED' });
    expect(told).toEqual([]);
  });

  it('answers at once where nothing has to be checked', () => {
    expect(create({ ...USERS, allowAnonymous: true }, undefined).admission.admit()).toEqual({ principal: undefined });
  });

  it('counts a user when the connection goes on, and not before', async () => {
    const { admission, told, request } = create(USERS, password('right'));
    const verdict = await admission.admit();
    expect(verdict).toMatchObject({ principal: { name: 'ada' } });
    expect(told).toEqual([]);
    expect(request.principal).toBeUndefined();
    const principal = 'status' in verdict ? undefined : verdict.principal;
    expect(admission.enter(principal)).toBe(SEAT);
    expect(told).toEqual(['user ada']);
    expect(request.principal).toBe(principal);
  });

  it('refuses a user who has as many connections as he may have', async () => {
    const user = () => ({ error: 'TOO_MANY_CONNECTIONS', message: 'ada has 2', retryAfter: 7 }) as const;
    const { admission, told, request } = create(USERS, password('right'), { user });
    await admission.admit();
    expect(admission.enter({ name: 'ada', scheme: 'basic' })).toEqual({
      status: 503,
      error: 'TOO_MANY_CONNECTIONS',
      message: 'ada has 2',
      headers: { 'Retry-After': '7' },
    });
    expect(told).toEqual([]);
    expect(request.principal).toBeUndefined();
  });

  it('waits for no first message of a client that has none, and asks for credentials instead', async () => {
    const { authenticator } = create({ firstMessage: true, ...USERS }, undefined);
    const request = { remoteAddress: '192.0.2.1' } as UpgradeRequest & { principal: Principal | undefined };
    const ports = { offence() {}, user: () => undefined };
    const admission = new HandshakeAdmission({ authenticator, ports, request, credentials: undefined });
    expect(await admission.admit()).toMatchObject({ status: 401, error: 'UNAUTHENTICATED' });
  });

  it('counts nobody for an anonymous client', () => {
    const { admission, told } = create({ allowAnonymous: true }, undefined);
    expect(admission.enter(undefined)).toBeUndefined();
    expect(told).toEqual([]);
  });
});
