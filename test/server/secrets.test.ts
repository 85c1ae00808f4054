/**
 * Holds that no credential gets further than to where it is used: one server with every kind of them at once, each way in right and
 * wrong, targets that fail in every way, and then a search through everything that was let out.
 */

import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { ActorOptions, AnyActorLogic, AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { accept, type Connection, ProxyServer, type ProxyServerOptions, type UpgradeRequest } from '../../src/index.js';
import { hashPassword } from '../../src/server/authentication/password-hash.js';
import { startConnectProxy } from '../support/proxies.js';
import type { RawClientOptions } from '../support/raw-client.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { refusedPort } from '../support/tcp-peer.js';
import { localhostCertificate, otherCertificate } from '../support/tls.js';
import { inSeconds, SECRET, sign } from '../support/tokens.js';
import { handshake, startUpstream, stopAfterTest } from './stage.js';
import { jsonOf, printed, Told } from './told.js';

/** What an inspector of XState is told, of every actor. */
const inspector = vi.hoisted(() => ({ tell: (_event: InspectionEvent): void => {} }));
vi.mock('xstate', async (original) => {
  const real = await original<typeof import('xstate')>();
  const createActor = (logic: AnyActorLogic, options: ActorOptions<AnyActorLogic>) => {
    const actor = real.createActor(logic, options);
    // Roots count their inspectors from when they are made, and tell nobody else.
    queueMicrotask(() => actor.system.inspect((event) => inspector.tell(event)));
    return actor;
  };
  return { ...real, createActor };
});

const PLAIN = 'pl4in-passw0rd-of-ada';
const HASHED = 'h4shed-passw0rd-of-bob';
const GUESS = 'gu3ss-of-eve';
const PROXY = 'pr0xy-passw0rd';
const DOWNSTREAM_PASSPHRASE = 'd0wnstream-passphrase';
const UPSTREAM_PASSPHRASE = 'upstre4m-passphrase';

const encrypt = (key: string, passphrase: string): string =>
  createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString();
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const basic = (user: string, password: string) => `Basic ${base64(`${user}:${password}`)}`;
/** A line from the middle of a PEM. */
const lineOf = (pem: string): string => pem.split('\n')[3]!;
const withHeader = (value: string): RawClientOptions => ({ headers: { Authorization: value } });

/** Of the target: what it is asked for decides what becomes of it. */
class Choosing extends QuietReceiver {
  override onUpgradeRequest({ path }: UpgradeRequest) {
    const target = targetsByPath.get(path);
    return target === undefined ? accept() : accept({ target });
  }
}
const targetsByPath = new Map<string, string>();

async function everything() {
  const record = new Told();
  const inspected = { '@xstate.actor': 0, '@xstate.event': 0, '@xstate.snapshot': 0 };
  inspector.tell = (event) => {
    if (!(event.type in inspected)) return;
    inspected[event.type as keyof typeof inspected] += 1;
    record.text(jsonOf(event));
    // The chart itself, which is in every snapshot, is the same for all.
    const snapshot = 'snapshot' in event ? (event.snapshot as AnyMachineSnapshot) : undefined;
    const { status, context, value, output, error } = snapshot ?? ({} as Partial<AnyMachineSnapshot>);
    record.text(inspect(['event' in event && event.event, status, context, value, output, error], { depth: 12 }));
  };
  onTestFinished(() => {
    inspector.tell = () => {};
  });
  const upstream = {
    sessionIdContext: 'target',
    ...localhostCertificate,
    requestCert: true,
    rejectUnauthorized: true,
    ca: otherCertificate.cert,
  };
  const target = await startUpstream({ tls: upstream as never });
  const refusing = await startUpstream({ tls: upstream as never, answer: { status: 403, body: 'no' } });
  const between = await startConnectProxy();
  const scrypt = await hashPassword(HASHED);
  const serverKey = encrypt(localhostCertificate.key, DOWNSTREAM_PASSPHRASE);
  const clientKey = encrypt(otherCertificate.key, UPSTREAM_PASSPHRASE);
  const options: ProxyServerOptions = {
    listen: '127.0.0.1:0',
    target: `wss://localhost:${target.port}/`,
    tls: {
      cert: localhostCertificate.cert,
      key: serverKey,
      passphrase: DOWNSTREAM_PASSPHRASE,
      ca: otherCertificate.cert,
      clientAuth: 'request',
    },
    dialThrough: `http://gateway:${PROXY}@127.0.0.1:${between.port}`,
    targets: { allow: ['localhost'] },
    dialDirect: ['localhost:1'],
    upstreamTls: {
      ca: localhostCertificate.cert,
      cert: otherCertificate.cert,
      key: clientKey,
      passphrase: UPSTREAM_PASSPHRASE,
    },
    authentication: {
      users: { ada: PLAIN, bob: { password: scrypt, tags: ['staff'] } },
      jwt: { secret: SECRET },
      sessions: {},
      url: 'query',
      tokenParameters: ['access_token'],
      subprotocol: 'bearer',
      cookie: 'session',
      certificate: 'common-name',
      firstMessage: true,
    },
    receiver: () => new Choosing(),
  };
  const server = new ProxyServer(options);
  stopAfterTest(server);
  record.watch(server);
  record.add(server);
  const [address] = await server.start();
  const tls = { rejectUnauthorized: false, servername: 'localhost' };
  const show = async (client: RawClientOptions) => {
    const answer = await handshake({ port: address!.port, tls, ...client });
    record.text(answer.head);
    record.text(answer.body);
    return answer;
  };
  const secrets = new Map<string, string>(
    Object.entries({
      PLAIN,
      HASHED,
      GUESS,
      PROXY,
      DOWNSTREAM_PASSPHRASE,
      UPSTREAM_PASSPHRASE,
      SECRET,
      'hash of a password': scrypt.split('$').at(-1)!,
      'key of the listener': lineOf(serverKey),
      'key toward targets': lineOf(clientKey),
      'key of the listener, opened': lineOf(localhostCertificate.key),
      'key toward targets, opened': lineOf(otherCertificate.key),
      'Basic of ada': base64(`ada:${PLAIN}`),
      'Basic of bob': base64(`bob:${HASHED}`),
      'Basic of eve': base64(`ada:${GUESS}`),
      'Basic toward the proxy': base64(`gateway:${PROXY}`),
    }),
  );
  const addToken = (name: string, token: string): string => {
    for (const [index, part] of token
      .split('.')
      .slice(token.includes('.') ? 1 : 0)
      .entries()) {
      secrets.set(`${name}, part ${index}, number ${secrets.size}`, part);
    }
    return token;
  };
  /** Asks for a session token; its answer is the one place where it may stand. */
  const session = async (): Promise<string> => {
    const plain = { path: '/session', omitHeaders: ['Upgrade', 'Connection'], ...withHeader(basic('ada', PLAIN)) };
    const answer = await handshake({ port: address!.port, tls, ...plain });
    expect(answer.status).toBe(200);
    return addToken('session', (JSON.parse(answer.body) as { token: string }).token);
  };
  return { record, server, target, refusing, between, options, show, session, secrets, addToken, inspected, tls };
}

/** What an application has in its hands. */
function factsOf(connection: Connection): unknown[] {
  const { request, principal } = connection;
  return [
    connection,
    request,
    { ...request },
    request.rawHeaders,
    [...request.query],
    principal,
    connection.snapshot(),
  ];
}

it('no secret is in logs, events, snapshots, errors, answers, inspections, and what targets get', async () => {
  const stage = await everything();
  const { record, server, target, refusing, show, session, secrets, addToken } = stage;

  const right = addToken('right', await sign(SECRET, { jti: 'right' }));
  const forged = addToken('forged', await sign('another-secret-that-nobody-has-shared', { jti: 'forged' }));
  const expired = addToken('expired', await sign(SECRET, { exp: inSeconds(-120) }));
  const carriers: ReadonlyArray<(token: string) => RawClientOptions> = [
    (token) => withHeader(`Bearer ${token}`),
    (token) => ({ subprotocols: ['bearer', token, 'chat'] }),
    (token) => ({ subprotocols: [`bearer.${token}`, 'chat'] }),
    (token) => ({ path: `/chat?room=1&access_token=${token}` }),
    (token) => ({ headers: { Cookie: `theme=dark; session=${token}` } }),
  ];
  for (const carry of carriers) {
    for (const token of [right, await session()]) expect((await show(carry(token))).status).toBe(101);
    for (const token of [forged, expired]) expect((await show(carry(token))).status).toBe(401);
  }
  for (const [user, password, status] of [
    ['ada', PLAIN, 101],
    ['bob', HASHED, 101],
    ['ada', GUESS, 401],
    ['eve', HASHED, 401],
  ] as const) {
    expect((await show(withHeader(basic(user, password)))).status).toBe(status);
    expect((await show({ path: `/?user=${user}&password=${password}` })).status).toBe(status);
  }
  expect((await show({ tls: { ...stage.tls, ...otherCertificate } })).status).toBe(101);

  // After an early 101.
  for (const message of [right, basic('ada', PLAIN)]) {
    const opened = once(server, 'connection');
    (await show({})).client!.sendText(message);
    await opened;
  }
  for (const message of [forged, expired, basic('ada', GUESS), `${GUESS} ${GUESS}`]) {
    const { client } = await show({});
    client!.sendText(message);
    const { code, reason } = await client!.answerClose();
    expect(code).toBe(1008);
    record.text(reason);
  }

  // Requests that are refused for something else, and targets that fail.
  const known = withHeader(basic('ada', PLAIN));
  expect((await show({ headers: { ...known.headers, 'Sec-WebSocket-Version': '8' } })).status).toBe(426);
  expect((await show({ headers: { ...known.headers, 'Bad Name': GUESS } })).status).toBe(400);
  targetsByPath.set('/refuses', `wss://localhost:${refusing.port}/`);
  targetsByPath.set('/dead', `wss://localhost:${await refusedPort()}/`);
  targetsByPath.set('/direct', 'tcp://localhost:1');
  targetsByPath.set('/bad', `tcp://ada:${PLAIN}@localhost:70000`);
  for (const [path, status] of [
    ['/refuses', 403],
    ['/dead', 502],
    ['/direct', 502],
    ['/bad', 500],
  ] as const) {
    expect([path, (await show({ path, ...known })).status]).toEqual([path, status]);
  }

  for (const connection of server.connections) record.add(...factsOf(connection));
  expect(server.connections.length).toBeGreaterThan(0);
  record.add(server, server.snapshot(), server.bans, server.addresses);
  record.text(printed(server));
  for (const { requestHead } of [...target.peers, ...refusing.peers]) record.text(requestHead);
  await server.stop({ drainTimeout: 0 });
  record.add(server, server.snapshot());

  for (const count of Object.values(stage.inspected)) expect(count).toBeGreaterThan(10);
  expect(secrets.size).toBeGreaterThanOrEqual(27);
  const all = record.told.join('\n');
  for (const [name, secret] of secrets) {
    const at = all.indexOf(secret);
    expect(at === -1 ? '' : `${name}: …${all.slice(Math.max(0, at - 300), at + secret.length)}…`).toBe('');
  }
  // The search finds what is there.
  for (const told of ['upgrade.refused', 'CREDENTIALS_EXPIRED', '/chat?room=1', 'theme=dark', 'bob'])
    expect(all).toContain(told);
});

it('nor the password of a proxy that refuses it', async () => {
  const answer = 'HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n';
  const between = await startConnectProxy({ answer });
  const record = new Told();
  const dialThrough = `http://gateway:${PROXY}@127.0.0.1:${between.port}`;
  const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://localhost:9', dialThrough });
  stopAfterTest(server);
  record.watch(server);
  const [address] = await server.start();
  const { status, body } = await handshake({ port: address!.port });
  expect(status).toBe(502);
  record.text(body);
  expect(record.told.join()).toContain('UPSTREAM_PROXY_FAILED');
  expect(between.requests[0]?.toString()).toContain(base64(`gateway:${PROXY}`));
  const all = record.told.join('\n');
  for (const secret of [PROXY, base64(`gateway:${PROXY}`)]) expect(all).not.toContain(secret);
});

it('console.log of a server shows where it is, also in an object of somebody else', async () => {
  const server = new ProxyServer({ listen: '127.0.0.1:0', target: 'tcp://localhost:9' });
  expect(printed({ server })).toContain("server: ProxyServer { state: 'stopped', addresses: [], connections: 0 }");
});
