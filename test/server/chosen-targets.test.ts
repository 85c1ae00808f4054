/** Owns that a receiver's target is one that may be (SSRF): judged before the dial and by the addresses that are connected to. */
import { describe, expect, it } from 'vitest';
import { accept, type ProxyServerOptions } from '../../src/index.js';
import { openTcp } from '../support/for-one-test.js';
import { startConnectProxy } from '../support/proxies.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { startEcho, startProxy, startUpstream } from './stage.js';

/** A proxy whose receiver chooses this target for everyone. */
function choosing(target: string, options: ProxyServerOptions = {}) {
  return startProxy({ receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ target }) }), ...options });
}

const HELP = 'The target chosen for this connection, or an address of it, is not one that `targets` allows.\n';

describe('a target that may not be', () => {
  it('is 403 before the 101; the operator learns why, and the client does not', async () => {
    const { handshake, events } = await choosing('tcp://0xa9fea9fe:80');
    expect(await handshake()).toMatchObject({ status: 403, body: HELP });
    expect(await events.rejections.next()).toMatchObject({
      error: 'TARGET_DENIED',
      status: 403,
      message: expect.stringContaining('tcp://169.254.169.254:80 may not be dialled'),
    });
    expect(events.exceptions.all).toEqual([]);
  });

  it('is 403 too when its name turns out to lead there, and nothing is connected to', async () => {
    const target = await startEcho();
    const { handshake, events } = await choosing(`tcp://desk.example:${target.port}`, {
      targets: { allow: ['*.example'] },
      lookup: () => ['127.0.0.1', '10.0.0.1'],
    });
    expect(await handshake()).toMatchObject({ status: 403, body: HELP });
    const { message } = await events.rejections.next();
    expect(message).toContain('127.0.0.1 is not public');
    expect(message).toContain('10.0.0.1 is not public');
    expect(target.connections).toHaveLength(0);
  });

  it('is 1008 after the 101', async () => {
    const { open, events } = await choosing('tcp://desk.example:1', {
      connectUpstream: 'after-accept',
      lookup: () => ['169.254.169.254'],
    });
    const client = await open();
    expect(await client.answerClose()).toMatchObject({ code: 1008, reason: '' });
    expect(await events.reports.next()).toMatchObject({ status: 1008, cause: 'TARGET_DENIED', initiator: 'proxy' });
  });

  it('is 403 and not 101 even when the target is dialled after the 101, if its text says enough', async () => {
    const { handshake } = await choosing('tcp://169.254.169.254:1', { connectUpstream: 'after-accept' });
    expect((await handshake()).status).toBe(403);
  });
});

describe('a name that is resolved', () => {
  it('is resolved once: what was judged is what is connected to (DNS rebinding)', async () => {
    const target = await startEcho();
    let lookups = 0;
    const { open } = await choosing(`tcp://desk.example:${target.port}`, {
      targets: { allow: ['desk.example'], deny: ['10.0.0.0/8'] },
      lookup: () => {
        lookups += 1;
        return lookups === 1 ? ['127.0.0.1'] : ['169.254.169.254'];
      },
    });
    const client = await open();
    client.sendBinary(Buffer.from('hi'));
    expect((await client.nextBinary()).toString()).toBe('hi');
    expect(lookups).toBe(1);
  });

  it('is connected to at the addresses that may be only', async () => {
    const target = await startEcho();
    const { open, server } = await choosing(`tcp://desk.example:${target.port}`, {
      targets: { allow: ['127.0.0.1'] },
      timeouts: { dialAttempt: '10s' },
      lookup: () => ['::1', '10.0.0.1', '127.0.0.1'],
    });
    await open();
    expect(server.connections).toHaveLength(1);
    expect(target.connections).toHaveLength(1);
  });

  it.each([
    ['no address', () => []],
    ['what is no address', () => ['localhost']],
    ['what is no list', () => 'x' as unknown as string[]],
    [
      'an error',
      () => {
        throw new Error('the resolver is on fire');
      },
    ],
    ['a rejection', () => Promise.reject(new Error('the resolver is on fire'))],
  ])('to %s is 502', async (_, lookup) => {
    const { handshake, events } = await choosing('tcp://desk.example:1', { lookup });
    expect((await handshake()).status).toBe(502);
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_NOT_FOUND' });
  });
});

describe('a target that onUnknownProtocol chose', () => {
  it.each<[string, ProxyServerOptions]>([
    ['tcp://169.254.169.254:80', {}],
    ['tcp://[::ffff:a9fe:a9fe]:80', {}],
    ['tcp://10.0.0.5:5900', { targets: { allow: ['tcp://10.0.0.4:5900'] } }],
    ['tcp://127.0.0.1:1', { targets: { deny: ['@loopback'] } }],
    ['tcp://desk.example:80', { lookup: () => ['169.254.169.254'] }],
  ])('is judged as that of a receiver: %s is refused', async (target, options) => {
    const configured = await startEcho();
    const { port, events } = await startProxy({
      target: configured.url,
      onUnknownProtocol: () => accept({ target }),
      ...options,
    });
    const client = await openTcp({ port });
    client.write('\x00');
    expect((await client.readAll()).length).toBe(0);
    expect(await events.rejections.next()).toMatchObject({ error: 'TARGET_DENIED' });
    expect(configured.connections).toHaveLength(0);
  });
});

describe('the target of the configuration', () => {
  it('may be anything, also when a receiver writes it in another way', async () => {
    const target = await startEcho();
    const options = { target: target.url, targets: { allow: [], deny: ['*', '@loopback'] } };
    const plain = await startProxy(options);
    await plain.open();
    const chosen = await choosing(`TCP://0x7f.1:${target.port}`, options);
    await chosen.open();
    const other = await choosing('tcp://127.0.0.1:1', options);
    expect((await other.handshake()).status).toBe(403);
  });

  it('redirects nobody: a 302 of a target is passed on, and not followed', async () => {
    const target = await startUpstream({
      answer: { status: 302, headers: { Location: 'http://169.254.169.254/latest' } },
    });
    const { handshake } = await startProxy({ target: target.url });
    expect(await handshake()).toMatchObject({ status: 302, headers: { location: 'http://169.254.169.254/latest' } });
    expect(target.accepted).toBe(1);
  });
});

describe('a name that the proxy of dialThrough resolves', () => {
  it('is refused unless it is allowed by name, as its addresses cannot be checked', async () => {
    const target = await startEcho();
    const proxy = await startConnectProxy({ resolve: () => '127.0.0.1' });
    const dialThrough = `http://127.0.0.1:${proxy.port}`;
    const text = `tcp://desk.example:${target.port}`;
    const refused = await choosing(text, { dialThrough });
    expect((await refused.handshake()).status).toBe(403);
    expect((await refused.events.rejections.next()).message).toContain('the proxy of dialThrough resolves its name');
    expect(proxy.asked).toEqual([]);
    const allowed = await choosing(text, { dialThrough, targets: { allow: ['desk.example'] } });
    await allowed.open();
    expect(proxy.asked).toEqual([`desk.example:${target.port}`]);
  });
});
