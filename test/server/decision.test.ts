/** Owns what the answers of `onUpgradeRequest` do: to the client's answer, the target and the subprotocol. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { accept, reject, type UpgradeAnswer } from '../../src/index.js';
import { deferred } from '../support/events.js';
import { QuietReceiver, receiverFactory } from '../support/recording-receiver.js';
import { localhostCertificate } from '../support/tls.js';
import { startEcho, startProxy, startReceivers, startUpstream } from './stage.js';

const { key, cert } = localhostCertificate;
const ca = cert;

/** A server that answers this way. */
function answering(answer: () => UpgradeAnswer | Promise<UpgradeAnswer>, options = {}) {
  return startReceivers({ receiver: () => new QuietReceiver({ onUpgradeRequest: answer }), ...options });
}

describe('an acceptance', () => {
  it.each<[what: string, answer: UpgradeAnswer]>([
    ['true', true],
    ['nothing', undefined],
    ['accept()', accept()],
  ])('is %s', async (_, answer) => {
    const { handshake } = await answering(() => answer);
    const { status, acceptIsRight } = await handshake();
    expect([status, acceptIsRight]).toEqual([101, true]);
  });

  it('adds its headers to the 101, one line for each value', async () => {
    const { handshake } = await answering(() =>
      accept({ headers: { 'X-Served-By': 'tidegate', 'Set-Cookie': ['a=1', 'b=2'] } }),
    );
    const { headerLines, headers } = await handshake();
    expect(headers['x-served-by']).toBe('tidegate');
    expect(headerLines.filter((line) => /^set-cookie:/i.test(line)).map((line) => line.split(': ')[1])).toEqual([
      'a=1',
      'b=2',
    ]);
  });

  it('chooses the subprotocol, which must be one that was offered', async () => {
    const { handshake, events } = await answering(() => accept({ subprotocol: 'two' }));
    const { headers } = await handshake({ subprotocols: ['one', 'two'] });
    expect(headers['sec-websocket-protocol']).toBe('two');
    expect((await handshake({ subprotocols: ['one'] })).status).toBe(500);
    expect(await events.rejections.next()).toMatchObject({ error: 'SUBPROTOCOL_NOT_OFFERED' });
    expect(events.exceptions.all).toMatchObject([{ code: 'SUBPROTOCOL_NOT_OFFERED' }]);
  });

  it('may come later: what the client sends meanwhile waits and is not lost (P2)', async () => {
    const decision = deferred<UpgradeAnswer>();
    const target = await startEcho();
    const { handshake } = await startProxy({
      target: target.url,
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => decision.promise }),
    });
    // A text frame with the payload `hi`, masked with zeros, in the same segment as the handshake.
    const answered = handshake({ head: Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]) });
    await nextTurn();
    expect(target.connections).toHaveLength(0);
    decision.resolve(true);
    const { client } = await answered;
    expect((await client!.nextBinary()).toString()).toBe('hi');
  });
});

describe('a target of its own', () => {
  it.each<[scheme: string, options: object]>([
    ['tcp', {}],
    ['tls', { tls: { key, cert } }],
    ['unix', { unix: true }],
  ])('may be %s:, for one request', async (scheme, options) => {
    const byDefault = await startEcho();
    const own = await startEcho(options);
    const { open, server } = await startProxy({
      target: byDefault.url,
      upstreamTls: { ca },
      receiver: () =>
        new QuietReceiver({ onUpgradeRequest: ({ path }) => (path === '/own' ? accept({ target: own.url }) : true) }),
    });
    expect(own.url.startsWith(`${scheme}:`)).toBe(true);
    for (const path of ['/own', '/']) {
      const client = await open({ path });
      client.sendText(`via ${path}`);
      expect((await client.nextBinary()).toString()).toBe(`via ${path}`);
    }
    expect([own.connections.length, byDefault.connections.length]).toEqual([1, 1]);
    expect(server.connections.map(({ target }) => target)).toEqual([own.url, byDefault.url]);
  });

  it.each<[scheme: string, options: object]>([
    ['ws', {}],
    ['wss', { tls: { key, cert } }],
  ])('may be %s:, for one request', async (scheme, options) => {
    const own = await startUpstream(options);
    const { open, server } = await startReceivers({
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ target: `${own.url}/there` }) }),
      ...{ upstreamTls: { ca } },
    });
    const client = await open({ path: '/here?x=1' });
    const upstream = await own.nextConnection();
    client.sendText('hello');
    expect(await upstream.nextText()).toBe('hello');
    upstream.sendText('back');
    expect(await client.nextText()).toBe('back');
    expect(server.connections[0]?.target?.startsWith(`${scheme}://`)).toBe(true);
    expect(upstream.requestLine).toMatch(/^GET \/there/);
  });

  it.each([['http://127.0.0.1:1'], ['not a url'], ['tcp://127.0.0.1'], ['']])(
    'that cannot be, such as %j, is an exception and a 500',
    async (target) => {
      const { handshake, events } = await answering(() => accept({ target }));
      expect((await handshake()).status).toBe(500);
      expect(await events.rejections.next()).toMatchObject({ error: 'INVALID_TARGET' });
      expect(events.exceptions.all).toMatchObject([{ code: 'INVALID_TARGET' }]);
    },
  );

  it('is needed by a proxy without one', async () => {
    const { handshake, events } = await startProxy({});
    expect((await handshake()).status).toBe(500);
    expect(await events.rejections.next()).toMatchObject({ error: 'NO_TARGET' });
  });
});

describe('a rejection', () => {
  it('is false, with 403', async () => {
    const { handshake } = await answering(() => false);
    const answer = await handshake();
    expect([answer.status, answer.headers.connection]).toEqual([403, 'close']);
    expect(await answer.waitForEnd()).toBe('fin');
  });

  it('has the status, headers and body it was given', async () => {
    const { handshake } = await answering(() =>
      reject(401, { headers: { 'WWW-Authenticate': 'Basic realm="x"' }, body: 'who are you?' }),
    );
    const { status, headers, body } = await handshake();
    expect([status, headers['www-authenticate'], body]).toEqual([401, 'Basic realm="x"', 'who are you?']);
    expect(headers['content-length']).toBe('12');
    expect(headers['content-type']).toMatch(/^text\/plain/);
  });

  it('dials no target (P6)', async () => {
    const target = await startEcho();
    const { handshake } = await startProxy({
      target: target.url,
      receiver: () => new QuietReceiver({ onUpgradeRequest: async () => reject(404) }),
    });
    expect((await handshake()).status).toBe(404);
    expect(target.connections).toHaveLength(0);
  });

  it.each<[what: string, fail: () => UpgradeAnswer | Promise<UpgradeAnswer>, error: string]>([
    [
      'throws',
      () => {
        throw new Error('secret detail');
      },
      'RECEIVER_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('secret detail')), 'RECEIVER_FAILED'],
    ['answers what cannot be', () => JSON.parse('{"kind":"maybe"}') as UpgradeAnswer, 'INVALID_DECISION'],
    ['answers null', () => JSON.parse('null') as UpgradeAnswer, 'INVALID_DECISION'],
    ['makes a rejection that cannot be', () => reject(101), 'INVALID_STATUS'],
  ])('with 500 follows when onUpgradeRequest %s, and no detail reaches the client (P5)', async (_, fail, error) => {
    const { handshake, events } = await answering(fail);
    const { status, body } = await handshake();
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
    expect(await events.rejections.next()).toMatchObject({ error, status: 500 });
    expect(events.exceptions.all).toHaveLength(1);
  });

  it('that comes after the deadline is ignored (P8)', async () => {
    const decision = deferred<UpgradeAnswer>();
    const receivers = receiverFactory(() => new QuietReceiver({ onUpgradeRequest: () => decision.promise }));
    const { handshake, events } = await startReceivers({ receiver: receivers.create, timeouts: { handshake: 50 } });
    expect((await handshake()).status).toBe(503);
    decision.resolve(true);
    await nextTurn();
    expect(events.lines).toEqual(['startup 1', 'rejected DECISION_TIMEOUT']);
    expect((await receivers.nextReceiver()).names).toEqual(['upgrade']);
  });
});
