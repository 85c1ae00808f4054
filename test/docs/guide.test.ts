/** Owns that what the guide says about receivers is so, where no other test says it, and that its first program runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ConnectionReceiver,
  DROP,
  ERRORS,
  type Fragment,
  type FragmentReply,
  type LifecycleReceiver,
  ProxyServer,
  type ProxyServerOptions,
  ReceiverServer,
  type ReceiverServerOptions,
  type RejectedUpgrade,
} from '../../src/index.js';
import { Opcode, RawClient } from '../support/raw-client.js';
import { RawUpstream } from '../support/raw-upstream.js';

const ROOT = join(import.meta.dirname, '../..');
const cleanups: Array<() => Promise<unknown> | unknown> = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function serve(
  receiver: () => LifecycleReceiver,
  options: Omit<ReceiverServerOptions, 'receiver'> = {},
): Promise<RawClient> {
  const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver, ...options });
  const [address] = await server.start();
  cleanups.push(() => server.stop({ drainTimeout: 0 }));
  return open(address!.port);
}

async function proxy(
  receiver: () => LifecycleReceiver,
  options: ProxyServerOptions = {},
): Promise<[RawClient, Awaited<ReturnType<RawUpstream['nextConnection']>>]> {
  const target = await RawUpstream.start();
  cleanups.push(() => target.close());
  const server = new ProxyServer({ listen: '127.0.0.1:0', target: target.url, receiver, ...options });
  const [address] = await server.start();
  cleanups.push(() => server.stop({ drainTimeout: 0 }));
  return [await open(address!.port), await target.nextConnection()];
}

async function open(port: number): Promise<RawClient> {
  const client = await RawClient.open({ port });
  cleanups.push(() => client.destroy());
  return client;
}

function sendInThree(client: RawClient): void {
  client.sendFrame({ opcode: Opcode.Text, payload: 'one', fin: false });
  client.sendFrame({ opcode: Opcode.Continuation, payload: 'two', fin: false });
  client.sendFrame({ opcode: Opcode.Continuation, payload: 'three' });
}

class Fragments extends ConnectionReceiver {
  readonly seen: string[] = [];

  onFragment({ index, first, final, kind, data }: Fragment): FragmentReply {
    this.seen.push(`${index} ${first} ${final} ${kind} ${data}`);
    if (index === 1) return DROP;
    return final ? Buffer.from('THREE') : undefined;
  }

  override onText(text: string): void {
    this.seen.push(`text ${text}`);
  }
}

describe('a refused upgrade', () => {
  it('tells the client what kind of failure it was, and the event where the target is', async () => {
    const target = await RawUpstream.start();
    await target.close();
    const server = new ProxyServer({ listen: 0, target: target.url });
    const [address] = await server.start();
    cleanups.push(() => server.stop({ drainTimeout: 0 }));
    const rejected: RejectedUpgrade[] = [];
    server.on('rejected', (one) => rejected.push(one));
    const answer = await RawClient.handshake({ port: address!.port });
    expect(answer).toMatchObject({ status: 502, body: `${ERRORS.UPSTREAM_REFUSED.help}\n` });
    expect(rejected).toMatchObject([{ error: 'UPSTREAM_REFUSED', message: expect.stringContaining(`${target.port}`) }]);
  });

  it('names an IPv4 client the same way wherever it is refused, also on a listener for both families', async () => {
    const server = new ReceiverServer({ listen: 0, receiver: () => new ConnectionReceiver() });
    const [address] = await server.start();
    cleanups.push(() => server.stop({ drainTimeout: 0 }));
    const addresses: unknown[] = [];
    server.on('rejected', ({ error, remoteAddress }) => addresses.push([error, remoteAddress]));
    const { port } = address!;
    await RawClient.handshake({ port, omitHeaders: ['Upgrade', 'Connection'] });
    await RawClient.handshake({ port, headers: { 'Sec-WebSocket-Version': '8' } });
    await RawClient.handshake({ port, headers: { 'Sec-WebSocket-Protocol': ',' } });
    expect(addresses).toEqual([
      ['NOT_AN_UPGRADE', '127.0.0.1'],
      ['WRONG_VERSION', '127.0.0.1'],
      ['BAD_HANDSHAKE', '127.0.0.1'],
    ]);
  });
});

describe('fragments', () => {
  it('come one by one instead of the message; bytes replace a payload and DROP empties it', async () => {
    const receiver = new Fragments();
    const [client, target] = await proxy(() => receiver, { fragments: 'fragments' });
    sendInThree(client);
    expect(await target.nextMessage()).toMatchObject({ kind: 'text', text: 'oneTHREE', frames: 3 });
    expect(receiver.seen).toEqual(['0 true false text one', '1 false false text two', '2 false true text three']);
  });

  it('come before the whole message with both, and their answers have no effect', async () => {
    const receiver = new Fragments();
    const [client, target] = await proxy(() => receiver, { fragments: 'both' });
    sendInThree(client);
    expect(await target.nextText()).toBe('onetwothree');
    expect(receiver.seen.slice(2)).toEqual(['2 false true text three', 'text onetwothree']);
  });
});

describe('onBeforeHeartbeat', () => {
  it('that returns true sends something of its own instead of the ping', async () => {
    class Own extends ConnectionReceiver {
      onBeforeHeartbeat(): boolean {
        this.connection.send('are you there?');
        return true;
      }
    }
    const client = await serve(() => new Own(), { heartbeat: { interval: '20ms', timeout: '10s' } });
    expect((await client.nextFrame()).payload.toString()).toBe('are you there?');
    expect(client.received.filter(({ opcode }) => opcode === Opcode.Ping)).toEqual([]);
  });

  it('that returns nothing lets the ping go', async () => {
    const client = await serve(() => new ConnectionReceiver(), { heartbeat: { interval: '20ms', timeout: '10s' } });
    expect((await client.nextFrame()).opcode).toBe(Opcode.Ping);
  });
});

describe('onIdleTimeout', () => {
  it('that returns true keeps the connection for another time; otherwise it is closed with 1001', async () => {
    class Patient extends ConnectionReceiver {
      #left = 2;
      onIdleTimeout(): boolean {
        this.#left -= 1;
        return this.#left >= 0;
      }
    }
    const client = await serve(() => new Patient(), { timeouts: { idle: '40ms' } });
    expect(await client.answerClose()).toMatchObject({ code: 1001, reason: 'idle timeout' });
  });
});

describe('close()', () => {
  class Closer extends ConnectionReceiver {
    readonly upstream: string[] = [];
    override onText(text: string): typeof DROP | undefined {
      if (text !== 'end') return undefined;
      this.connection.close(4000, 'enough');
      return DROP;
    }
    onUpstreamText(text: string): void {
      this.upstream.push(text);
    }
  }

  it('ends the callbacks for the target as well: what it still sends is not delivered', async () => {
    const receiver = new Closer();
    const [client, target] = await proxy(() => receiver);
    client.sendText('end');
    expect(await target.expectClose()).toMatchObject({ code: 4000 });
    target.sendText('too late');
    target.sendClose(4000);
    target.end();
    expect(await client.answerClose()).toMatchObject({ code: 4000, reason: 'enough' });
    expect(receiver.upstream).toEqual([]);
  });

  it('of the client does not: what the target still says is delivered and passed on', async () => {
    const receiver = new Closer();
    const [client, target] = await proxy(() => receiver);
    client.sendClose(1000);
    await target.expectClose();
    target.sendText('last words');
    target.sendClose(1000);
    target.end();
    expect(await client.nextText()).toBe('last words');
    expect(receiver.upstream).toEqual(['last words']);
  });
});

describe('a callback that throws', () => {
  it('ends its own connection with 1011 and leaves its neighbour alone', async () => {
    class Fragile extends ConnectionReceiver {
      override onText(text: string): void {
        if (text === 'break') throw new Error('broken');
        this.connection.send(text);
      }
    }
    const server = new ReceiverServer({ listen: '127.0.0.1:0', receiver: () => new Fragile() });
    const [address] = await server.start();
    cleanups.push(() => server.stop({ drainTimeout: 0 }));
    const exceptions: unknown[] = [];
    server.on('exception', (error, connection) => exceptions.push([String(error), connection?.id]));
    const neighbour = await open(address!.port);
    const client = await open(address!.port);
    client.sendText('break');
    expect(await client.answerClose()).toMatchObject({ code: 1011 });
    neighbour.sendText('still here');
    expect(await neighbour.nextText()).toBe('still here');
    expect(exceptions).toEqual([['Error: broken', 'conn-2']]);
  });
});

describe('the first program', () => {
  const program = (page: string) =>
    /^```js\n([\s\S]*?)^```$/m.exec(readFileSync(join(ROOT, page), 'utf8'))?.[1] ?? `no program in ${page}`;

  it('is the same in README.md and in the guide', () => {
    expect(program('docs/guide/getting-started.md')).toBe(program('README.md'));
  });

  it('runs as it stands, but for the port', async () => {
    const folder = join(ROOT, 'examples', 'dist');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `shout-${process.pid}.mjs`);
    writeFileSync(file, program('README.md').replace('8080', '0'));
    cleanups.push(() => rmSync(file));
    const child: ChildProcess = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanups.push(async () => {
      if (child.kill('SIGKILL')) await once(child, 'exit');
    });
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string];
    const client = await open(Number(new URL(line).port));
    client.sendText('hello');
    expect(await client.nextText()).toBe('HELLO');
  });
});
