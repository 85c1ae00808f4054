/** Owns a real browser talking through the proxy: Chromium, with a page that the test serves. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { reject } from '../../src/index.js';
import { QuietReceiver, RecordingReceiver } from '../support/recording-receiver.js';
import { TcpPeer } from '../support/tcp-peer.js';
import { localhostCertificate } from '../support/tls.js';
import { useChromium } from './chromium.js';
import { listenOn } from './listen-on.js';
import { startProxy, startWsTarget } from './stage.js';

const SCRIPT = readFileSync(new URL('./page/client.js', import.meta.url), 'utf8');
const HTML = `<!doctype html><title>tidegate</title><script>${SCRIPT}</script>`;

const browser = useChromium();

type Message = { readonly text: string } | { readonly bytes: number; readonly sum: number };

interface PageEnd {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly errors: number;
}

interface Opened {
  readonly number: number;
  readonly opened: boolean;
  readonly protocol: string;
  readonly extensions: string;
  readonly ended: PageEnd;
}

/** A tab that shows the test's page, and what can be asked of its script. */
class Tab {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  open(url: string, protocols: string[] = []): Promise<Opened> {
    return this.#call('openSocket', url, protocols);
  }

  sendText(number: number, text: string): Promise<void> {
    return this.#call('sendText', number, text);
  }

  sendBytes(number: number, length: number): Promise<Message> {
    return this.#call('sendBytes', number, length);
  }

  message(number: number): Promise<Message> {
    return this.#call('nextMessage', number);
  }

  close(number: number, code?: number, reason?: string): Promise<PageEnd> {
    return this.#call('closeSocket', number, code, reason);
  }

  closed(number: number): Promise<PageEnd> {
    return this.#call('whenClosed', number);
  }

  #call<T>(name: string, ...args: unknown[]): Promise<T> {
    const list = args.map((arg) => (arg === undefined ? 'undefined' : JSON.stringify(arg))).join(', ');
    return this.page.evaluate<T>(`${name}(${list})`);
  }
}

async function openTab(context: TestContext): Promise<Tab> {
  const page = await browser.openTab(context);
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(HTML));
  const port = await listenOn(server);
  await page.goto(`http://127.0.0.1:${port}/`);
  return new Tab(page);
}

/** A WebSocket server that sends everything back. */
async function startEcho(options: Parameters<typeof startWsTarget>[0] = {}) {
  const target = await startWsTarget(options);
  const talking = target.nextTalker().then((talker) => {
    talker.socket.on('message', (data, binary) => talker.socket.send(data, { binary }));
    return talker;
  });
  return { url: target.url, talking };
}

describe.each(['frames', 'messages'] as const)('a page through the %s path', (path) => {
  const receiver = path === 'messages' ? () => new RecordingReceiver() : () => new QuietReceiver();

  it('opens with a subprotocol, and gets text, bytes and 1 MB back as they were', async (context) => {
    const tab = await openTab(context);
    const echo = await startEcho();
    const proxy = await startProxy({ target: echo.url, receiver });
    const { number, opened, protocol } = await tab.open(`${proxy.url}/page`, ['chat.v3', 'chat.v2']);
    expect(opened).toBe(true);
    expect(protocol).toBe('chat.v3');
    await tab.sendText(number, 'grüße 🌊');
    expect(await tab.message(number)).toEqual({ text: 'grüße 🌊' });
    for (const length of [0, 3, 70_000, 1024 * 1024]) {
      const sent = await tab.sendBytes(number, length);
      expect(await tab.message(number)).toEqual(sent);
    }
    const { request } = await echo.talking;
    expect(request?.url).toBe('/page');
    expect(request?.headers.origin).toBe(new URL(tab.page.url()).origin);
    expect(proxy.server.snapshot().connections).toMatchObject([{ dataPath: path }]);
  });

  it('agrees on permessage-deflate', async (context) => {
    const tab = await openTab(context);
    const echo = await startEcho({ perMessageDeflate: { threshold: 0 } });
    const proxy = await startProxy({ target: echo.url, receiver, compression: { threshold: 0 } });
    const { number, extensions } = await tab.open(proxy.url);
    expect(extensions).toContain('permessage-deflate');
    expect((await echo.talking).socket.extensions).toContain('permessage-deflate');
    const text = 'the same again, '.repeat(10_000);
    for (let count = 0; count < 3; count += 1) {
      await tab.sendText(number, text);
      expect(await tab.message(number)).toEqual({ text });
    }
    const connection = await proxy.nextConnection();
    // On `frames` nothing is inflated here, so the compressed payloads are counted.
    if (path === 'frames') expect(connection.snapshot().received.bytes).toBeLessThan(text.length / 10);
  });

  it('sees the code and reason of the target, and the target those of the page', async (context) => {
    const tab = await openTab(context);
    const first = await startEcho();
    const proxy = await startProxy({ target: first.url, receiver });
    const one = await tab.open(proxy.url);
    (await first.talking).socket.close(4404, 'gone doc');
    expect(await tab.closed(one.number)).toEqual({ code: 4404, reason: 'gone doc', wasClean: true, errors: 0 });

    const second = await startEcho();
    const other = await startProxy({ target: second.url, receiver });
    const two = await tab.open(other.url);
    expect(await tab.close(two.number, 3001, 'bye')).toEqual({ code: 3001, reason: 'bye', wasClean: true, errors: 0 });
    expect(await (await second.talking).closed).toEqual({ code: 3001, reason: 'bye' });
    expect(await other.nextReport()).toMatchObject({ initiator: 'downstream', status: 3001, reason: 'bye' });
  });

  it('answers our heartbeat', async (context) => {
    const tab = await openTab(context);
    const echo = await startEcho();
    const heartbeat = { interval: '100ms', timeout: '5s' } as const;
    const beats: QuietReceiver[] = [];
    const proxy = await startProxy({
      target: echo.url,
      heartbeat,
      receiver: () => {
        const overrides = { onBeforeHeartbeat: () => false };
        const one = path === 'messages' ? new RecordingReceiver(overrides) : new QuietReceiver(overrides);
        beats.push(one);
        return one;
      },
    });
    const { number } = await tab.open(proxy.url);
    // A second heartbeat is only due when the first one was answered.
    for (let count = 0; count < 3; count += 1) await beats[0]!.waitFor('beforeHeartbeat');
    await tab.sendText(number, 'alive');
    expect(await tab.message(number)).toEqual({ text: 'alive' });
    const [connection] = proxy.server.connections;
    expect(connection?.state).toBe('open');
  });

  it('is missed by the target when its tab is closed', async (context) => {
    const tab = await openTab(context);
    const echo = await startEcho();
    const proxy = await startProxy({ target: echo.url, receiver });
    await tab.open(proxy.url);
    const talker = await echo.talking;
    await tab.page.close();
    expect([1001, 1011]).toContain((await talker.closed).code);
    expect([1001, 1006]).toContain((await proxy.nextReport()).status);
  });
});

describe('a page', () => {
  it('sees a refusal as an error and 1006', async (context) => {
    const tab = await openTab(context);
    const proxy = await startProxy({
      target: 'ws://127.0.0.1:1',
      receiver: () => new QuietReceiver({ onUpgradeRequest: () => reject(403) }),
    });
    expect(await tab.open(proxy.url)).toMatchObject({
      opened: false,
      ended: { code: 1006, reason: '', wasClean: false, errors: 1 },
    });
  });

  it('reaches a TCP target, in chunks', async (context) => {
    const tab = await openTab(context);
    const peer = await TcpPeer.echo();
    onTestFinished(() => peer.close());
    const proxy = await startProxy({ target: peer.url });
    const { number, protocol } = await tab.open(proxy.url, ['binary']);
    expect(protocol).toBe('binary');
    const length = 1024 * 1024;
    await tab.sendBytes(number, length);
    for (let arrived = 0; arrived < length; ) {
      const chunk = await tab.message(number);
      if (!('bytes' in chunk)) throw new Error('a text message came');
      arrived += chunk.bytes;
    }
    expect(await tab.close(number, 1000)).toMatchObject({ code: 1000, wasClean: true });
  });

  it('speaks wss: to a TLS listener', async (context) => {
    const tab = await openTab(context);
    const echo = await startEcho();
    const proxy = await startProxy({
      target: echo.url,
      listen: { host: '127.0.0.1', port: 0, tls: { ...localhostCertificate } },
    });
    expect(proxy.url).toMatch(/^wss:/);
    const { number, opened } = await tab.open(proxy.url);
    expect(opened).toBe(true);
    const sent = await tab.sendBytes(number, 300_000);
    expect(await tab.message(number)).toEqual(sent);
    const connection = await proxy.nextConnection();
    expect(connection.request.tls?.protocol).toBe('TLSv1.3');
    expect(await tab.close(number, 1000, 'done')).toMatchObject({ code: 1000, reason: 'done', wasClean: true });
  });
});
