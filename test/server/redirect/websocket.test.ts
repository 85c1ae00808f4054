/** Owns what a client that asks for a WebSocket is told where it cannot have one: an address, in a message or by a redirect, or no. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  accept,
  ConnectionReceiver,
  LoadBalancer,
  type LoadBalancerOptions,
  reject,
  type UpgradeAnswer,
} from '../../../src/index.js';
import { waitForEvent } from '../../support/events.js';
import { openTcp } from '../../support/for-one-test.js';
import { type NamedBackends, startBackends, startBalancer } from '../named-backends.js';

const SUBPROTOCOL = 'tidegate.binding.v1';
const REDIRECT = { mode: 'redirect', policy: 'first' } as const;
const CLIENT = { subprotocols: ['chat', SUBPROTOCOL] };

/** The receivers that were made, and what they were called with. */
function recording(answer: () => UpgradeAnswer = () => true) {
  const calls: string[] = [];
  class Recording extends ConnectionReceiver {
    override onUpgradeRequest() {
      calls.push(`asked ${this.connection.id}`);
      return answer();
    }
    override onOpen() {
      calls.push('opened');
    }
    override onClosed() {
      calls.push('closed');
    }
  }
  return { calls, receiver: () => new Recording() };
}

async function start(options: LoadBalancerOptions = {}, backends?: NamedBackends) {
  const known = backends ?? (await startBackends('a'));
  return { ...(await startBalancer(known, { ...REDIRECT, ...options })), backends: known };
}

describe('on the subprotocol of bindings', () => {
  it('a client is told an address in one message, and then the connection ends with 1000', async () => {
    const { calls, receiver } = recording(() => accept({ headers: { 'X-Own': '1' } }));
    const { handshake, backends, balancer } = await start({ receiver });
    const { client, headers } = await handshake({ ...CLIENT, path: '/chat?room=1' });
    expect([client?.subprotocol, headers['x-own']]).toEqual([SUBPROTOCOL, '1']);
    expect(JSON.parse(await client!.nextText())).toEqual({ url: `${backends.a!.url}/chat?room=1` });
    expect(await client!.answerClose()).toMatchObject({ code: 1000, reason: '' });
    expect(calls).toEqual(['asked conn-1']);
    expect(backends.a!.accepted).toBe(0);
    expect(balancer.backends()[0]?.load).toBe(1);
  });

  it('a client whom the application refuses is told nothing', async () => {
    const { receiver } = recording(() => reject(403, { body: 'no\n' }));
    const { handshake, balancer } = await start({ receiver });
    const { status, body } = await handshake(CLIENT);
    expect([status, body]).toEqual([403, 'no\n']);
    expect(balancer.backends()[0]?.load).toBe(0);
  });

  it('without a backend a client is told when to come back, and the connection ends with 1013', async () => {
    const { handshake, balancer } = await start({ retryAfter: '2s' });
    balancer.drainBackend('a');
    const { client } = await handshake(CLIENT);
    const said = JSON.parse(await client!.nextText()) as { retryAfterMs: number };
    expect(said).toEqual({ error: 'NO_BACKEND', retryAfterMs: expect.any(Number) });
    const { code, reason } = await client!.answerClose();
    expect([code, JSON.parse(reason)]).toEqual([1013, { retryAfterMs: said.retryAfterMs }]);
  });

  it('a hook that fails answers 500 and is told once', async () => {
    const onBeforeBinding = () => Promise.reject(new Error('no'));
    const { handshake, exceptions } = await start({ onBeforeBinding });
    expect((await handshake(CLIENT)).status).toBe(500);
    expect(exceptions).toMatchObject([{ code: 'HOOK_FAILED' }]);
  });

  it('the 101 sets the cookie, and with it the next answer is the same', async () => {
    const backends = await startBackends('a', 'b', 'c');
    const { handshake } = await start({ affinity: { by: 'cookie' }, policy: 'random' }, backends);
    const first = await handshake(CLIENT);
    const said = await first.client!.nextText();
    const [Cookie = ''] = first.headers['set-cookie']!.split(';', 1);
    for (let count = 0; count < 6; count += 1) {
      const { client, headers } = await handshake({ ...CLIENT, headers: { Cookie } });
      expect([await client!.nextText(), headers['set-cookie']]).toEqual([said, undefined]);
    }
  });
});

describe('any other client', () => {
  it('is redirected with 307, after the application let it in, and told so by `rejected`', async () => {
    const { calls, receiver } = recording();
    const { handshake, backends, rejections } = await start({ receiver });
    const answer = await handshake({ path: '/chat?room=1', subprotocols: ['chat'] });
    const url = `${backends.a!.url}/chat?room=1`;
    expect([answer.status, answer.headers.location, answer.headers['cache-control']]).toEqual([307, url, 'no-store']);
    expect(JSON.parse(answer.body)).toEqual({ url });
    expect(calls).toEqual(['asked conn-1']);
    const message = `told to go to ${backends.a!.url}`;
    expect(rejections).toMatchObject([{ error: 'REDIRECTED', status: 307, path: '/chat', message }]);
    expect(backends.a!.accepted).toBe(0);
  });

  it('that follows redirects is at the backend', async () => {
    const { port, backends } = await start();
    const socket = new WebSocket(`ws://127.0.0.1:${port}/deep?x=1`, { followRedirects: true });
    onTestFinished(() => socket.terminate());
    const [data] = await waitForEvent(socket, 'message');
    expect(String(data)).toBe('a');
    expect((await backends.a!.nextConnection()).requestLine).toBe('GET /deep?x=1 HTTP/1.1');
  });

  it('is refused as the application says, or carried where the application says', async () => {
    const elsewhere = await startBackends('elsewhere');
    let answer: UpgradeAnswer = reject(404);
    const { receiver } = recording(() => answer);
    const { handshake } = await start({ receiver });
    expect((await handshake()).status).toBe(404);
    answer = accept({ target: elsewhere.elsewhere!.url });
    expect(await (await handshake()).client!.nextText()).toBe('elsewhere');
  });

  it('without a backend is answered 503 with Retry-After, and JSON', async () => {
    const { handshake, balancer } = await start();
    balancer.drainBackend('a');
    const { status, headers, body } = await handshake();
    expect([status, headers['retry-after']]).toEqual([503, expect.stringMatching(/^[5-8]$/)]);
    expect(JSON.parse(body)).toEqual({ error: 'NO_BACKEND', retryAfterMs: expect.any(Number) });
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['gives nonsense', () => 'nonsense'],
  ])('is answered 500 when the hook %s', async (_, onBeforeBinding) => {
    const { handshake, exceptions } = await start({ onBeforeBinding });
    expect((await handshake()).status).toBe(500);
    expect(exceptions).toMatchObject([{ code: 'HOOK_FAILED' }]);
  });

  it('is not kept waiting for ever by a hook', async () => {
    const { handshake } = await start({
      onBeforeBinding: () => new Promise(() => {}),
      timeouts: { handshake: '150ms' },
    });
    expect([503, 504]).toContain((await handshake()).status);
    expect([503, 504]).toContain((await handshake(CLIENT)).status);
  });
});

it('a client cannot be sent elsewhere once it has its 101', () => {
  const options = { ...REDIRECT, connectUpstream: 'after-accept' } as const;
  expect(() => new LoadBalancer(options)).toThrow(/connectUpstream: got "after-accept"; expected 'before-accept'/);
});

it.each(['off', 'redirect'] as const)('in the mode %s a client that speaks plain TCP is let go of', async (mode) => {
  const backends = await startBackends('a');
  const listen = { host: '127.0.0.1', port: 0, protocol: 'tcp' } as const;
  const { port, rejections } = await startBalancer(backends, { mode, listen });
  const client = await openTcp({ port });
  client.write('hello');
  await client.waitForEnd();
  expect(rejections).toMatchObject([{ error: 'WEBSOCKET_DISABLED' }]);
});

describe('in the mode off', () => {
  it('a client gets no WebSocket, and is told why; plain requests go on', async () => {
    const { calls, receiver } = recording();
    const backends = await startBackends('a');
    const { handshake, rejections, port } = await startBalancer(backends, {
      mode: 'off',
      receiver,
      redirect: { path: '/where' },
    });
    const { status, body } = await handshake(CLIENT);
    expect([status, body]).toEqual([403, 'WebSocket connections are not served here; plain HTTP requests may be\n']);
    expect(rejections).toMatchObject([{ error: 'WEBSOCKET_DISABLED', status: 403 }]);
    expect([calls, backends.a!.accepted]).toEqual([[], 0]);
    expect((await fetch(`http://127.0.0.1:${port}/where`)).status).toBe(200);
  });
});
