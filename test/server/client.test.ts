/** Owns that the WebSocket of `tidegate/client` comes back when it should, when it was told to, and not otherwise: with `ws` in Node.js. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  type ReconnectEvents,
  ReconnectingWebSocket,
  type ReconnectOptions,
  type UrlSource,
  urlFrom,
} from '../../src/client/reconnecting-web-socket.js';
import { ConnectionReceiver, LoadBalancer, ReceiverServer, type UpgradeRequest } from '../../src/index.js';
import { WaitingLine } from '../support/events.js';
import { startTcpPeer } from '../support/for-one-test.js';

/** What happened on a client, in order: events and messages, each given once. */
class Story {
  readonly lines: string[] = [];
  readonly closes: ReconnectEvents['close'][] = [];
  readonly #line = new WaitingLine();
  #given = 0;

  constructor(socket: ReconnectingWebSocket) {
    socket.addEventListener('open', () => this.#add('open'));
    socket.addEventListener('message', ({ data }) => this.#add(`message ${data}`));
    socket.addEventListener('error', () => this.lines.push('error'));
    socket.addEventListener('close', (event) => {
      this.closes.push(event);
      this.#add(`close ${event.code}`);
    });
  }

  /** The next event or message, but for errors. */
  next(): Promise<string> {
    return this.#line.until(
      () => {
        const line = this.lines.filter((told) => told !== 'error')[this.#given];
        if (line !== undefined) this.#given += 1;
        return line;
      },
      () => undefined,
    );
  }

  #add(line: string): void {
    this.lines.push(line);
    this.#line.notify();
  }
}

function connect(url: UrlSource, options: ReconnectOptions = {}) {
  const socket = new ReconnectingWebSocket(url, { WebSocket, minDelay: 20, maxDelay: 50, ...options });
  onTestFinished(() => socket.close());
  return { socket, story: new Story(socket) };
}

/** Says hello, echoes, and ends as it is told: `close 1012 reason`, or `cut`. */
class Host extends ConnectionReceiver {
  override onOpen({ path }: UpgradeRequest): void {
    this.connection.send(`hello ${path}`);
  }
  override onText(text: string): void {
    const [verb, code, reason] = text.split(' ');
    if (verb === 'cut') this.connection.terminate();
    else if (verb === 'close') this.connection.close(Number(code) as 1000, reason);
    else this.connection.send(text);
  }
}

async function startHost(port = 0) {
  const server = new ReceiverServer({ listen: { host: '127.0.0.1', port }, receiver: () => new Host() });
  onTestFinished(() => server.stop({ drainTimeout: 0 }));
  const [address] = await server.start();
  return { server, url: address!.url, port: address!.port };
}

describe('a connection that is lost', () => {
  it('comes back after the time that the Close frame names', async () => {
    const { url } = await startHost();
    const { socket, story } = connect(`${url}/a`);
    expect([await story.next(), await story.next()]).toEqual(['open', 'message hello /a']);
    socket.send('close 1012 {"retryAfterMs":120}');
    expect(await story.next()).toBe('close 1012');
    const closedAt = performance.now();
    expect(story.closes[0]).toMatchObject({ code: 1012, wasClean: true, retryIn: 120 });
    expect(socket.readyState).toBe(0);
    expect([await story.next(), await story.next()]).toEqual(['open', 'message hello /a']);
    expect(performance.now() - closedAt).toBeGreaterThan(110);
    expect(socket.readyState).toBe(1);
  });

  it.each([1001, 1011, 1012, 1013, 1014])('comes back after %i by its own time', async (code) => {
    const { url } = await startHost();
    const { socket, story } = connect(url);
    socket.send(`close ${code} later`);
    for (const line of ['open', 'message hello /', `close ${code}`, 'open']) expect(await story.next()).toBe(line);
    expect(story.closes[0]?.retryIn).toBeLessThan(20);
  });

  it.each([1000, 1002, 1003, 1007, 1008, 1009, 1010, 3000, 4000, 4999])('is over after %i', async (code) => {
    const { url, server } = await startHost();
    const { socket, story } = connect(url);
    socket.send(`close ${code} {"retryAfterMs":1}`);
    for (const line of ['open', 'message hello /', `close ${code}`]) expect(await story.next()).toBe(line);
    expect(story.closes).toMatchObject([{ retryIn: undefined }]);
    expect([socket.readyState, socket.send('too late')]).toEqual([3, false]);
    expect(server.snapshot().state).toBe('running');
  });

  it('comes back when it was cut, and when the server is there again', async () => {
    const first = await startHost();
    const { socket, story } = connect(first.url);
    socket.send('cut');
    for (const line of ['open', 'message hello /', 'close 1006', 'open', 'message hello /']) {
      expect(await story.next()).toBe(line);
    }
    await first.server.stop();
    expect(await story.next()).toBe('close 1001');
    // Nobody is there for a while.
    expect([await story.next(), await story.next()]).toEqual(['close 1006', 'close 1006']);
    await startHost(first.port);
    let line = await story.next();
    while (line === 'close 1006') line = await story.next();
    expect(line).toBe('open');
    expect(story.lines.filter((told) => told === 'error').length).toBeGreaterThan(1);
  });

  it('comes back or not as a listener decides', async () => {
    const { url } = await startHost();
    const { socket, story } = connect(url);
    socket.addEventListener('close', (event) => {
      event.retryIn = event.code === 4401 ? 5 : undefined;
    });
    socket.send('close 4401 expired');
    for (const line of ['open', 'message hello /', 'close 4401', 'open', 'message hello /']) {
      expect(await story.next()).toBe(line);
    }
    socket.send('close 1012 later');
    expect(await story.next()).toBe('close 1012');
    expect(socket.readyState).toBe(3);
  });

  it('is given up when it does not come to be in time, and tried again', async () => {
    const silent = await startTcpPeer();
    const { story } = connect(silent.url.replace('tcp:', 'ws:'), { connectTimeout: 60 });
    expect([await story.next(), await story.next()]).toEqual(['close 1006', 'close 1006']);
    await silent.nextConnection();
    await silent.nextConnection();
    const { story: undecided } = connect(() => new Promise(() => {}), { connectTimeout: 60 });
    expect([await undecided.next(), await undecided.next()]).toEqual(['close 1006', 'close 1006']);
  });
});

describe('messages', () => {
  it('wait for the connection, in order, behind what is sent when it opens', async () => {
    const { url } = await startHost();
    const { socket, story } = connect(url, { maxQueued: 3 });
    socket.addEventListener('open', () => socket.send('who I am'));
    expect(['one', 'two', 'three', 'four'].map((text) => socket.send(text))).toEqual([true, true, true, false]);
    const heard: string[] = [];
    for (let count = 0; count < 6; count += 1) heard.push(await story.next());
    expect(heard).toEqual(['open', ...['hello /', 'who I am', 'one', 'two', 'three'].map((text) => `message ${text}`)]);
    socket.send('cut');
    expect(await story.next()).toBe('close 1006');
    socket.send('after');
    const again = [await story.next(), await story.next(), await story.next(), await story.next()];
    // What one connection was given is not given to another.
    expect(again).toEqual(['open', 'message hello /', 'message who I am', 'message after']);
  });

  it('are dropped without a queue, and when it is closed for good', async () => {
    const { url } = await startHost();
    const none = connect(url, { maxQueued: 0 });
    expect(none.socket.send('one')).toBe(false);
    const some = connect(url);
    expect(some.socket.send('one')).toBe(true);
    some.socket.close();
    expect(await some.story.next()).toMatch(/^close/);
    expect(some.socket.send('two')).toBe(false);
  });
});

describe('close()', () => {
  it('ends an open connection with its code and reason, once, for good', async () => {
    const { url, server } = await startHost();
    const report = new Promise((resolve) => server.once('disconnected', (_connection, told) => resolve(told)));
    const { socket, story } = connect(url);
    await story.next();
    socket.close(3001, 'done');
    socket.close();
    expect(socket.readyState).toBe(2);
    expect(await report).toMatchObject({ initiator: 'downstream', status: 3001, reason: 'done' });
    expect([await story.next(), await story.next()]).toEqual(['message hello /', 'close 3001']);
    expect([story.closes.length, story.closes[0]?.retryIn, socket.readyState]).toEqual([1, undefined, 3]);
  });

  it('ends an attempt, a wait, and the search for a URL, without another event', async () => {
    const silent = await startTcpPeer();
    const attempt = connect(silent.url.replace('tcp:', 'ws:'));
    await silent.nextConnection();
    attempt.socket.close();
    expect(await attempt.story.next()).toBe('close 1006');
    const search = connect(() => new Promise(() => {}));
    search.socket.close(1000, 'never mind');
    expect(await search.story.next()).toBe('close 1000');
    const wait = connect('ws://127.0.0.1:1', { minDelay: 60_000, maxDelay: 60_000 });
    expect(await wait.story.next()).toBe('close 1006');
    wait.socket.close();
    expect(await wait.story.next()).toBe('close 1000');
    for (const { story, socket } of [attempt, search, wait]) {
      expect([story.closes.at(-1)?.retryIn, socket.readyState]).toEqual([undefined, 3]);
    }
    expect([attempt.story.lines, search.story.lines]).toEqual([['close 1006'], ['close 1000']]);
  });

  it('may be called by a listener of any event', async () => {
    const { url } = await startHost();
    for (const name of ['open', 'message', 'close', 'error'] as const) {
      const { socket, story } = connect(name === 'error' ? () => Promise.reject(new Error('no')) : url);
      socket.addEventListener(name, () => socket.close());
      if (name === 'close') socket.send('cut');
      for (let line = await story.next(); !line.startsWith('close'); ) line = await story.next();
      if (socket.readyState !== 3) await story.next();
      expect([name, socket.readyState, story.closes.at(-1)?.retryIn]).toEqual([name, 3, undefined]);
    }
  });
});

describe('the time until the next attempt', () => {
  /** Cannot connect. */
  class Nothing {
    constructor() {
      throw new Error('no network');
    }
  }

  it('is random below a bound that doubles up to the largest, and begins anew after a stable connection', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
    onTestFinished(() => random.mockRestore());
    const { socket, story } = connect('ws://x', {
      WebSocket: Nothing as never,
      minDelay: undefined,
      maxDelay: undefined,
    });
    await vi.advanceTimersByTimeAsync(200_000);
    const waits = story.closes.map(({ retryIn }) => retryIn);
    expect(waits.slice(0, 9)).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    socket.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins anew after a connection that lasted, and not after one that did not', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.999_999);
    onTestFinished(() => random.mockRestore());
    const { url } = await startHost();
    for (const [stableAfter, bounds] of [
      [0, [8, 8, 8]],
      [60_000, [8, 16, 32]],
    ] as const) {
      const { socket, story } = connect(url, { minDelay: 8, maxDelay: 64, stableAfter });
      socket.addEventListener('open', () => socket.send('cut'));
      while (story.closes.length < 3) await story.next();
      socket.close();
      expect(story.closes.slice(0, 3).map(({ retryIn }) => Math.ceil(retryIn ?? 0))).toEqual(bounds);
    }
  });

  it('is never more than five minutes for what the other side says, and its own for what it cannot mean', async () => {
    const { url } = await startHost();
    for (const [said, least, most] of [
      ['1e12', 300_000, 300_000],
      ['-5', 0, 20],
      ['null', 0, 20],
      ['"soon"', 0, 20],
    ] as const) {
      const { socket, story } = connect(url);
      socket.send(`close 1013 {"retryAfterMs":${said}}`);
      for (const line of ['open', 'message hello /', 'close 1013']) expect(await story.next()).toBe(line);
      expect(story.closes[0]?.retryIn).toBeGreaterThanOrEqual(least);
      expect(story.closes[0]?.retryIn).toBeLessThanOrEqual(most);
      socket.close();
    }
  });
});

describe('the URL', () => {
  it('is asked for before each attempt, and one that fails is an attempt that failed', async () => {
    const { url } = await startHost();
    const answers = [
      () => Promise.reject({ retryAfterMs: 30 }),
      () => {
        throw new Error('no');
      },
      () => `${url}/a`,
    ];
    let asked = 0;
    const { socket, story } = connect(() => (answers[asked++] ?? (async () => new URL(`${url}/b`)))());
    for (const line of ['close 1006', 'close 1006', 'open', 'message hello /a']) expect(await story.next()).toBe(line);
    expect(story.closes[0]?.retryIn).toBe(30);
    socket.send('cut');
    for (const line of ['close 1006', 'open', 'message hello /b']) expect(await story.next()).toBe(line);
  });

  it('may be that of a backend, by the answer of a balancer', async () => {
    const balancer = new LoadBalancer({
      listen: '127.0.0.1:0',
      mode: 'redirect',
      retryAfter: 1000,
      http: { enabled: false },
    });
    onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
    const [address] = await balancer.start();
    const { story } = connect(urlFrom(`http://127.0.0.1:${address!.port}/room?x=1`));
    expect(await story.next()).toBe('close 1006');
    expect(story.closes[0]?.retryIn).toBeGreaterThanOrEqual(1000);
    expect(story.closes[0]?.retryIn).toBeLessThanOrEqual(1500);
    const { url } = await startHost();
    balancer.addBackend(url);
    expect([await story.next(), await story.next()]).toEqual(['open', 'message hello /room']);
  });
});
