/** Owns that the client helper works in a real browser: it comes back to other backends when its own is drained, in the time it was told. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { transformSync } from 'rolldown/utils';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { ConnectionReceiver, LoadBalancer, type LoadBalancerOptions, ReceiverServer } from '../../src/index.js';
import { useChromium } from './chromium.js';
import { listenOn } from './listen-on.js';

const CLIENT = new URL('../../src/client/reconnecting-web-socket.ts', import.meta.url);
const { code: SCRIPT } = transformSync('client.ts', readFileSync(CLIENT, 'utf8'), { target: 'es2022' });

/** Opens clients, and keeps what happens on each. */
const PAGE = `<!doctype html><title>tidegate</title><script type="module">
import { ReconnectingWebSocket, urlFrom } from '/client.js';
const clients = [];
globalThis.begin = (count, url, asks) => {
  for (let number = 0; number < count; number += 1) {
    const story = [];
    const socket = new ReconnectingWebSocket(asks ? urlFrom(url) : url, { minDelay: 50, maxDelay: 200 });
    const note = (what) => story.push({ at: performance.now(), ...what });
    socket.addEventListener('open', () => note({ name: 'open' }));
    socket.addEventListener('message', ({ data }) => note({ name: 'message', data }));
    socket.addEventListener('close', ({ code, retryIn }) => note({ name: 'close', code, retryIn }));
    clients.push({ socket, story });
  }
};
globalThis.stories = () => clients.map(({ story }) => story);
globalThis.end = () => clients.forEach(({ socket }) => socket.close());
globalThis.ready = true;
</script>`;

interface Note {
  readonly at: number;
  readonly name: string;
  readonly data?: string;
  readonly code?: number;
  readonly retryIn?: number;
}

const browser = useChromium();

async function openPage(context: TestContext): Promise<Page> {
  const page = await browser.openTab(context);
  const server = createServer(({ url }, response) => {
    const isScript = url === '/client.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html').end(isScript ? SCRIPT : PAGE);
  });
  const port = await listenOn(server);
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction('globalThis.ready');
  return page;
}

/** Starts servers that say their name, and a balancer before them. */
async function start(names: string[], options: LoadBalancerOptions) {
  const backends = [];
  for (const id of names) {
    class Named extends ConnectionReceiver {
      override onOpen(): void {
        this.connection.send(id);
      }
    }
    const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Named() });
    onTestFinished(() => server.stop({ drainTimeout: 0 }));
    const [address] = await server.start();
    backends.push({ id, url: address!.url });
  }
  const balancer = new LoadBalancer({ listen: '127.0.0.1:0', backends, http: { enabled: false }, ...options });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = await balancer.start();
  return { balancer, port: address!.port };
}

/** The backends that said hello to each client so far. */
function hellos(stories: Note[][]): string[][] {
  return stories.map((story) => story.flatMap(({ data }) => data ?? []));
}

async function storiesWhen(page: Page, what: string): Promise<Note[][]> {
  await page.waitForFunction(`stories().every((story) => ${what})`);
  return page.evaluate<Note[][]>('stories()');
}

describe('clients in a page', () => {
  it('come back to another backend when theirs is drained, each in the time it was told', async (context) => {
    const page = await openPage(context);
    const { balancer, port } = await start(['a', 'b'], {
      drain: { whenDraining: 'drain', perSecond: 50, minDelay: '100ms', maxDelay: '600ms' },
    });
    await page.evaluate(`begin(8, 'ws://127.0.0.1:${port}/')`);
    const before = hellos(await storiesWhen(page, "story.some(({ name }) => name === 'message')")).flat();
    expect(before.filter((name) => name === 'b')).toHaveLength(4);
    balancer.drainBackend('b');
    const stories = await storiesWhen(page, "story.findLast(({ name }) => name === 'message')?.data === 'a'");
    const waits = new Set<number>();
    for (const [number, story] of stories.entries()) {
      const names = story.map(({ name, data = '' }) => `${name}${data}`);
      if (before[number] === 'a') {
        expect(names).toEqual(['open', 'messagea']);
        continue;
      }
      expect(names).toEqual(['open', 'messageb', 'close', 'open', 'messagea']);
      const { at, code, retryIn = 0 } = story[2]!;
      expect(code).toBe(1012);
      expect(retryIn).toBeGreaterThanOrEqual(100);
      expect(retryIn).toBeLessThanOrEqual(600);
      // A timer of a browser is exact to a millisecond, and then there is the handshake of a busy machine.
      expect(story[3]!.at - at).toBeGreaterThanOrEqual(retryIn - 1);
      expect(story[3]!.at - at).toBeLessThan(retryIn + 2000);
      waits.add(retryIn);
    }
    expect(waits.size).toBeGreaterThan(1);
    expect(balancer.backends().map(({ id, load }) => `${id} ${load}`)).toEqual(['a 8', 'b 0']);
    await page.evaluate('end()');
    await page.waitForFunction("stories().every((story) => story.at(-1).name === 'close')");
  });

  it('ask where to go, also across origins, and go there', async (context) => {
    const page = await openPage(context);
    const { port } = await start(['a'], { mode: 'redirect' });
    await page.evaluate(`begin(2, 'http://127.0.0.1:${port}/', true)`);
    const stories = await storiesWhen(page, "story.some(({ name }) => name === 'message')");
    expect(hellos(stories)).toEqual([['a'], ['a']]);
    await page.evaluate('end()');
  });
});
