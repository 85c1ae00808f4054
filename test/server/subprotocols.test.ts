/** Owns who chooses the subprotocol: the receiver, the options, or a WebSocket target. */
import { describe, expect, it } from 'vitest';
import { accept, type ProxyServerOptions } from '../../src/index.js';
import { QuietReceiver } from '../support/recording-receiver.js';
import { startEcho, startProxy, startUpstream } from './stage.js';

type Options = Pick<ProxyServerOptions, 'subprotocols' | 'noSubprotocol' | 'connectUpstream'>;

describe('toward a target that speaks no WebSocket', () => {
  it.each<[what: string, options: Options, offered: string[], answer: number | string]>([
    ['the first offered one without any option', {}, ['a', 'b'], 'a'],
    ['none to a client that offered none', {}, [], ''],
    ['none to a client that offered none, also with reject', { noSubprotocol: 'reject' }, [], ''],
    ["the first of the client's that may be chosen", { subprotocols: ['x', 'b'] }, ['a', 'b', 'x'], 'b'],
    ['400 when none matches of a list', { subprotocols: ['x'] }, ['a', 'b'], 400],
    ['none when none matches, with omit', { subprotocols: ['x'], noSubprotocol: 'omit' }, ['a'], ''],
    ['400 when none matches, with reject', { subprotocols: ['x'], noSubprotocol: 'reject' }, ['a'], 400],
  ])('it is %s', async (_, options, offered, answer) => {
    const { handshake, events } = await startProxy({ target: (await startEcho()).url, ...options });
    const { status, headers } = await handshake({ subprotocols: offered });
    if (typeof answer === 'number') {
      expect(status).toBe(answer);
      expect(await events.rejections.next()).toMatchObject({ error: 'SUBPROTOCOL_REQUIRED' });
    } else {
      expect([status, headers['sec-websocket-protocol'] ?? '']).toEqual([101, answer]);
    }
  });

  it('it is what the receiver chose, also beside the option', async () => {
    const { open, server } = await startProxy({
      target: (await startEcho()).url,
      subprotocols: ['a'],
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ subprotocol: 'b' }) }),
    });
    const client = await open({ subprotocols: ['a', 'b'] });
    expect(client.subprotocol).toBe('b');
    expect(server.connections[0]?.subprotocol).toBe('b');
  });
});

describe('toward a WebSocket target', () => {
  it('the target chooses, among what the client offered', async () => {
    const target = await startUpstream({ subprotocol: 'b' });
    const { open, server } = await startProxy({ target: target.url });
    const client = await open({ subprotocols: ['a', 'b'] });
    expect(client.subprotocol).toBe('b');
    expect((await target.nextConnection()).headers['sec-websocket-protocol']).toMatch(/^a, ?b$/);
    expect(server.connections[0]?.subprotocol).toBe('b');
  });

  it('the target may choose none', async () => {
    const target = await startUpstream();
    const { open } = await startProxy({ target: target.url });
    expect((await open({ subprotocols: ['a'] })).subprotocol).toBe('');
  });

  it('the target is offered only what the option allows', async () => {
    const target = await startUpstream({ subprotocol: 'first' });
    const { open } = await startProxy({ target: target.url, subprotocols: ['b', 'c'] });
    expect((await open({ subprotocols: ['a', 'b', 'c'] })).subprotocol).toBe('b');
    expect((await target.nextConnection()).headers['sec-websocket-protocol']).toMatch(/^b, ?c$/);
  });

  it('the target is offered only what the receiver chose', async () => {
    const target = await startUpstream({ subprotocol: 'first' });
    const { open } = await startProxy({
      target: target.url,
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ subprotocol: 'b' }) }),
    });
    expect((await open({ subprotocols: ['a', 'b'] })).subprotocol).toBe('b');
    expect((await target.nextConnection()).headers['sec-websocket-protocol']).toBe('b');
  });

  it('the target is offered none when the receiver chose none', async () => {
    const target = await startUpstream({ subprotocol: 'first' });
    const { open } = await startProxy({
      target: target.url,
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => accept({ subprotocol: '' }) }),
    });
    expect((await open({ subprotocols: ['a'] })).subprotocol).toBe('');
    expect((await target.nextConnection()).headers['sec-websocket-protocol']).toBeUndefined();
  });

  it('a target that chooses what was not offered is a bad handshake (P6)', async () => {
    const target = await startUpstream({ subprotocol: 'z' });
    const { handshake, events } = await startProxy({ target: target.url });
    expect((await handshake({ subprotocols: ['a'] })).status).toBe(502);
    expect(await events.rejections.next()).toMatchObject({ error: 'UPSTREAM_BAD_HANDSHAKE' });
  });

  it('dialled after the 101, it is offered what the client was answered', async () => {
    const target = await startUpstream({ subprotocol: 'first' });
    const { open } = await startProxy({ target: target.url, connectUpstream: 'after-accept', subprotocols: ['b'] });
    const client = await open({ subprotocols: ['a', 'b'] });
    expect(client.subprotocol).toBe('b');
    expect((await target.nextConnection()).headers['sec-websocket-protocol']).toBe('b');
  });
});
