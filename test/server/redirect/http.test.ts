/** Owns the answer over HTTP to the question where to go: what it says, who may ask and read it, and what the application makes of it. */
import { request } from 'node:https';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LoadBalancer, type LoadBalancerOptions } from '../../../src/index.js';
import { deferred } from '../../support/events.js';
import { localhostCertificate } from '../../support/tls.js';

const A = { id: 'a', url: 'ws://10.0.0.1:9000', bindings: ['wss://a.example/app', 'ws://a.example:8080'] };
const B = { id: 'b', url: 'ws://10.0.0.2:9000', bindings: ['wss://b.example'] };
// The backends need not be there: nobody connects to them.
const REDIRECT: LoadBalancerOptions = {
  mode: 'redirect',
  policy: 'first',
  http: { enabled: false },
  health: { check: 'off' },
};

async function start(options: LoadBalancerOptions) {
  const balancer = new LoadBalancer({ listen: '127.0.0.1:0', ...REDIRECT, ...options });
  const exceptions: unknown[] = [];
  balancer.on('exception', (error) => exceptions.push(error));
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  const url = `http://127.0.0.1:${address!.port}`;
  const ask = async (path = '/', init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
  };
  return { balancer, exceptions, url, ask };
}

describe('a plain request in the mode redirect', () => {
  it('is answered with the address of a backend, with path and query, which nobody may keep', async () => {
    const { ask } = await start({ backends: [{ id: 'a', url: A.url }] });
    const answer = await ask('/chat/7?room=1&x=%20');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ url: 'ws://10.0.0.1:9000/chat/7?room=1&x=%20' });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('is told an address of the scheme by which the client came, if the backend has one', async () => {
    const plain = await start({ backends: [A], trustedProxies: ['loopback'] });
    const forwarded = { headers: { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Proto': 'https' } };
    expect((await plain.ask('/x?y=1')).json()).toEqual({ url: 'ws://a.example:8080/x?y=1' });
    // A binding with a path of its own keeps that.
    expect((await plain.ask('/x?y=1', forwarded)).json()).toEqual({ url: 'wss://a.example/app?y=1' });
    const secureOnly = await start({ backends: [B] });
    expect((await secureOnly.ask()).json()).toEqual({ url: 'wss://b.example/' });
  });

  it('is told wss: over TLS', async () => {
    const listen = { host: '127.0.0.1', port: 0, tls: { ...localhostCertificate } };
    const { balancer } = await start({ backends: [A], listen });
    const body = await new Promise<string>((resolve, reject) => {
      const { port } = balancer.addresses[0]!;
      request({ port, host: '127.0.0.1', ca: localhostCertificate.cert, servername: 'localhost' }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });
    expect(JSON.parse(body)).toEqual({ url: 'wss://a.example/app' });
  });

  it('with HEAD gets the same fields and no body, and takes no place', async () => {
    const { ask, balancer } = await start({ backends: [A] });
    const whole = await ask('/x');
    const head = await ask('/x', { method: 'HEAD' });
    expect([head.status, head.text]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length', 'cache-control']) {
      expect([name, head.headers.get(name)]).toEqual([name, whole.headers.get(name)]);
    }
    expect(balancer.backends()[0]?.load).toBe(1);
  });

  it('with another method is told so', async () => {
    const { ask } = await start({ backends: [A] });
    const answer = await ask('/', { method: 'POST', body: 'x' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it('without an available backend is answered 503, and told when to come back', async () => {
    const { ask, balancer } = await start({ backends: [A], retryAfter: '4s' });
    balancer.drainBackend('a');
    const answer = await ask();
    expect(answer.status).toBe(503);
    const said = answer.json() as { error: string; retryAfterMs: number };
    expect(Object.keys(said)).toEqual(['error', 'retryAfterMs']);
    expect(said.error).toBe('NO_BACKEND');
    expect(said.retryAfterMs).toBeGreaterThanOrEqual(4000);
    expect(said.retryAfterMs).toBeLessThanOrEqual(6000);
    expect(Number(answer.headers.get('retry-after'))).toBe(Math.ceil(said.retryAfterMs / 1000));
  });

  it('spreads a burst, since each answer keeps a place for a while', async () => {
    const backends = ['a', 'b', 'c'].map((id) => ({ id, url: `ws://${id}.example` }));
    const { ask, balancer } = await start({ backends, policy: 'least-connections' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask()));
    const urls = answers.map((answer) => (answer.json() as { url: string }).url);
    for (const { url } of backends) expect(urls.filter((one) => one === `${url}/`)).toHaveLength(10);
    expect(balancer.backends().map(({ load }) => load)).toEqual([10, 10, 10]);
  });

  it('never names a backend that clients cannot reach by WebSocket', async () => {
    const backends = [
      { id: 'x', url: 'ws://x.example', bindings: ['tcp://x.example:1'] },
      { id: 'y', url: 'ws://y.example' },
    ];
    const { ask, balancer } = await start({ backends });
    expect((await ask()).json()).toEqual({ url: 'ws://y.example/' });
    balancer.drainBackend('y');
    expect((await ask()).status).toBe(503);
    expect(balancer.backends()[0]?.load).toBe(0);
  });
});

describe('the path of the question', () => {
  it('is the only one that is answered, and only its query goes on', async () => {
    const { ask } = await start({ backends: [A], redirect: { path: '/where' } });
    expect((await ask('/where?room=1')).json()).toEqual({ url: 'ws://a.example:8080/?room=1' });
    expect((await ask('/elsewhere')).status).toBe(426);
  });

  it('may stand beside relayed clients', async () => {
    const { ask } = await start({ mode: 'relay', backends: [A], redirect: { path: '/where' } });
    expect((await ask('/where')).status).toBe(200);
    expect((await ask('/')).status).toBe(426);
  });
});

describe('pages of other origins', () => {
  const from = (origin: string, init: RequestInit = {}) => ({ ...init, headers: { Origin: origin } });

  it('may read the answer where any may connect, but not with what the browser keeps', async () => {
    const { ask } = await start({ backends: [A] });
    const { headers } = await ask('/', from('https://page.example'));
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('may read it with that when they are named, and are refused when they are not', async () => {
    const { ask } = await start({ backends: [A], origins: ['https://page.example'] });
    const { headers } = await ask('/', from('https://page.example'));
    expect(headers.get('access-control-allow-origin')).toBe('https://page.example');
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    expect(headers.get('vary')).toBe('Origin');
    expect((await ask('/', from('https://evil.example'))).status).toBe(403);
    const preflight = await ask('/', from('https://page.example', { method: 'OPTIONS' }));
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'authorization']);
  });
});

describe('with authentication', () => {
  const authentication = { users: { ada: 'lovelace' } };
  const ada = { headers: { Authorization: `Basic ${btoa('ada:lovelace')}` } };

  it('only those who show who they are are told', async () => {
    const { ask, balancer } = await start({ backends: [A], authentication });
    const refused: string[] = [];
    balancer.on('rejected', ({ error, status }) => refused.push(`${status} ${error}`));
    const unknown = await ask();
    expect([unknown.status, unknown.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')]);
    expect(unknown.text).not.toContain('a.example');
    expect((await ask('/', ada)).json()).toEqual({ url: 'ws://a.example:8080/' });
    expect(refused).toEqual(['401 UNAUTHENTICATED']);
  });

  it('the hook learns who asks', async () => {
    const { ask } = await start({
      backends: [A],
      authentication,
      onBeforeBinding: ({ principal }) => `wss://${principal?.name}.example/`,
    });
    expect((await ask('/', ada)).json()).toEqual({ url: 'wss://ada.example/' });
  });
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

describe('onBeforeBinding', () => {
  it('gets the request, the whole address and the backend, and may change the address, now or later', async () => {
    const seen: unknown[] = [];
    const { ask } = await start({
      backends: [A],
      onBeforeBinding: async ({ path }, binding, { id, url }) => {
        seen.push([path, binding, id, url]);
        const changed = new URL(binding);
        changed.host = 'nat.example';
        return path === '/leave' ? undefined : changed;
      },
    });
    expect((await ask('/x?y')).json()).toEqual({ url: 'ws://nat.example:8080/x?y' });
    expect((await ask('/leave')).json()).toEqual({ url: 'ws://a.example:8080/leave' });
    expect(seen[0]).toEqual(['/x', 'ws://a.example:8080/x?y', 'a', A.url]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no such tenant');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no such tenant'))],
    ['gives no URL', () => 'nonsense'],
    ['gives http:', () => 'http://a.example/'],
    ['gives credentials', () => 'wss://user:secret@a.example/'],
    ['gives no text', () => 7 as never],
  ])('that %s ends this request with 500, and is told', async (_, hook) => {
    let isBad = true;
    const { ask, exceptions } = await start({ backends: [A], onBeforeBinding: () => (isBad ? hook() : undefined) });
    const answer = await ask();
    expect([answer.status, answer.text]).toEqual([500, expect.not.stringMatching(/tenant|secret|a\.example/)]);
    expect(exceptions).toMatchObject([{ code: 'HOOK_FAILED', message: expect.stringContaining('onBeforeBinding') }]);
    isBad = false;
    expect((await ask()).status).toBe(200);
  });

  it('that does not answer in time is answered for with 503', async () => {
    const late = deferred<undefined>();
    const { ask, exceptions } = await start({
      backends: [A],
      timeouts: { handshake: '150ms' },
      onBeforeBinding: () => late.promise,
    });
    expect((await ask()).status).toBe(503);
    expect(exceptions).toMatchObject([{ code: 'DECISION_TIMEOUT' }]);
    late.resolve(undefined);
  });

  it('that does not answer keeps no server from stopping, nor a timer of it', async () => {
    const asked = deferred();
    const { balancer, ask, exceptions } = await start({
      backends: [A],
      timeouts: { handshake: '1h' },
      onBeforeBinding: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    const before = timers();
    const answer = ask().catch(() => 'cut');
    await asked.promise;
    await balancer.stop({ drainTimeout: 0 });
    expect(await answer).toBe('cut');
    expect(timers()).toBeLessThanOrEqual(before);
    expect(exceptions).toEqual([]);
  });
});

it('a client that has a cookie is told the same backend', async () => {
  const { ask } = await start({
    backends: [A, B],
    policy: 'random',
    affinity: { by: 'cookie' },
    onBeforeBinding: (_request, _binding, { id }) => `ws://${id}.example/`,
  });
  const first = await ask();
  const cookie = first.headers.get('set-cookie')!.split(';', 1)[0]!;
  for (let count = 0; count < 8; count += 1) {
    const again = await ask('/', { headers: { Cookie: cookie } });
    expect([again.text, again.headers.get('set-cookie')]).toEqual([first.text, null]);
  }
});
