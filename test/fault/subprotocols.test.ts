/** Owns which subprotocol the 101 names, toward targets that speak none themselves and targets that choose. */
import { describe, expect, it } from 'vitest';
import { accept } from '../../src/index.js';
import { RawClient } from '../support/raw-client.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { openClient, startProxy, startTcpPeer, startUpstream } from './running.js';

describe('toward a TCP target', () => {
  it.each([
    [['mqtt'], 'mqtt'],
    [['binary'], 'binary'],
    [['base64', 'binary'], 'base64'],
    [['v5.stomp', 'mqtt'], 'v5.stomp'],
    [[], ''],
  ])('any subprotocol is accepted when none is configured: %j', async (subprotocols, chosen) => {
    const target = await startTcpPeer();
    const proxy = await startProxy({ target: target.url });
    expect((await openClient({ port: proxy.port, subprotocols })).subprotocol).toBe(chosen);
  });

  it.each([
    ['mqtt', ['mqtt']],
    ['mqtt', ['chat', 'mqtt', 'binary']],
    ['binary', ['binary', 'mqtt']],
    ['', []],
  ])('of those the operator allows the first offered one is chosen: "%s" of %j', async (chosen, subprotocols) => {
    const target = await startTcpPeer();
    const proxy = await startProxy({ target: target.url, subprotocols: ['mqtt', 'binary'] });
    expect((await openClient({ port: proxy.port, subprotocols })).subprotocol).toBe(chosen);
  });

  it.each([
    ['first', 400, undefined],
    ['omit', 101, undefined],
    ['reject', 400, undefined],
  ] as const)(
    'noSubprotocol "%s" with an offer that is not allowed answers %i',
    async (noSubprotocol, status, header) => {
      const target = await startTcpPeer();
      const proxy = await startProxy({ target: target.url, subprotocols: ['mqtt'], noSubprotocol });
      const answer = await RawClient.handshake({ port: proxy.port, subprotocols: ['chat'] });
      expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([status, header]);
      if (status === 400) expect(await proxy.rejected.next()).toMatchObject({ error: 'SUBPROTOCOL_REQUIRED' });
      answer.client?.destroy();
    },
  );

  it.each([
    ['first', 101, 'chat'],
    ['omit', 101, undefined],
    ['reject', 400, undefined],
  ] as const)('noSubprotocol "%s" with an offer and no list answers %i', async (noSubprotocol, status, header) => {
    const target = await startTcpPeer();
    const proxy = await startProxy({ target: target.url, noSubprotocol });
    const answer = await RawClient.handshake({ port: proxy.port, subprotocols: ['chat', 'mqtt'] });
    expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([status, header]);
    answer.client?.destroy();
  });

  it('what the application chooses wins over the options', async () => {
    const target = await startTcpPeer();
    const proxy = await startProxy({
      target: target.url,
      noSubprotocol: 'reject',
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ subprotocol: 'mqtt' }) }),
    });
    expect((await openClient({ port: proxy.port, subprotocols: ['chat', 'mqtt'] })).subprotocol).toBe('mqtt');
  });
});

describe('toward a WebSocket target', () => {
  it('the choice of the target is the answer to the client', async () => {
    const upstream = await startUpstream({ subprotocol: 'v1.chat' });
    const proxy = await startProxy({ target: upstream.url });
    const client = await openClient({ port: proxy.port, subprotocols: ['v2.chat', 'v1.chat'] });
    expect(client.subprotocol).toBe('v1.chat');
  });

  it('a target that chooses none is passed on as it is', async () => {
    const upstream = await startUpstream();
    const proxy = await startProxy({ target: upstream.url });
    expect((await openClient({ port: proxy.port, subprotocols: ['chat'] })).subprotocol).toBe('');
  });

  it('only what the operator allows is offered to it', async () => {
    const upstream = await startUpstream({ subprotocol: 'first' });
    const proxy = await startProxy({ target: upstream.url, subprotocols: ['mqtt'] });
    const client = await openClient({ port: proxy.port, subprotocols: ['chat', 'mqtt'] });
    expect(client.subprotocol).toBe('mqtt');
    expect((await upstream.nextConnection()).headers['sec-websocket-protocol']).toBe('mqtt');
  });

  it('what the application chooses is the only offer', async () => {
    const upstream = await startUpstream({ subprotocol: 'first' });
    const proxy = await startProxy({
      target: upstream.url,
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ subprotocol: 'mqtt' }) }),
    });
    const client = await openClient({ port: proxy.port, subprotocols: ['chat', 'mqtt'] });
    expect(client.subprotocol).toBe('mqtt');
    expect((await upstream.nextConnection()).headers['sec-websocket-protocol']).toBe('mqtt');
  });
});
