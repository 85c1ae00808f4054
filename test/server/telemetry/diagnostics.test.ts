/** Owns what the servers publish on the channels of `node:diagnostics_channel`, and that its page has all of them. */
import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DiagnosticsChannel, DiagnosticsMessages } from '../../../src/index.js';
import { everySetup, Stage } from '../../promises/setups.js';
import { startBackends, startBalancer } from '../named-backends.js';
import { handshake } from '../stage.js';

const frames = everySetup[0]!;

/** Keeps what is published on these channels for as long as the test lasts. */
function listen<Name extends DiagnosticsChannel>(...names: Name[]) {
  const told: Array<[name: Name, message: DiagnosticsMessages[Name]]> = [];
  for (const name of names) {
    const note = (message: unknown) => told.push([name, message as DiagnosticsMessages[Name]]);
    subscribe(name, note);
    onTestFinished(() => void unsubscribe(name, note));
  }
  return told;
}

describe('a subscriber', () => {
  it('is told of a connection from its dial to its end', async () => {
    const told = listen(
      'tidegate:connection:open',
      'tidegate:connection:close',
      'tidegate:upstream:dial:start',
      'tidegate:upstream:dial:end',
    );
    const stage = await Stage.start(frames);
    const { client, receiver } = await stage.open();
    client.destroy();
    const report = await stage.nextReport();
    const common = { server: stage.server, connection: receiver.connection };
    expect(told).toEqual([
      ['tidegate:upstream:dial:start', { ...common, target: stage.upstream!.url }],
      ['tidegate:upstream:dial:end', { ...common, target: stage.upstream!.url, durationMs: expect.any(Number) }],
      ['tidegate:connection:open', common],
      ['tidegate:connection:close', { ...common, report }],
    ]);
  });

  it('is told of a dial that failed, and of the handshake that was refused for it', async () => {
    const told = listen('tidegate:upstream:dial:error', 'tidegate:handshake:refused');
    const stage = await Stage.start(frames);
    await stage.upstream!.close();
    await handshake({ port: stage.port });
    expect(told).toMatchObject([
      ['tidegate:upstream:dial:error', { target: stage.upstream!.url, error: 'UPSTREAM_REFUSED' }],
      ['tidegate:handshake:refused', { server: stage.server, refusal: { error: 'UPSTREAM_REFUSED', status: 502 } }],
    ]);
  });

  it('is told who is throttled', async () => {
    const told = listen('tidegate:connection:throttled', 'tidegate:connection:unthrottled');
    const stage = await Stage.start(frames, {
      limits: { highWaterMark: 4096, lowWaterMark: 1024 },
      timeouts: { pressureDwell: 1 },
    });
    const { client, target, receiver } = await stage.open();
    client.connection.socket.pause();
    const flood = setInterval(() => target.send(Buffer.alloc(64 * 1024)), 1);
    onTestFinished(() => clearInterval(flood));
    await receiver.waitFor('throttled');
    clearInterval(flood);
    expect(told.map(([name, { side }]) => [name, side])).toEqual([['tidegate:connection:throttled', 'downstream']]);
    client.connection.socket.resume();
    await receiver.waitFor('unthrottled');
    expect(told.at(-1)?.[0]).toBe('tidegate:connection:unthrottled');
  });

  it('is told of backends', async () => {
    const told = listen('tidegate:backend:ready', 'tidegate:backend:draining', 'tidegate:backend:gone');
    const { balancer } = await startBalancer(await startBackends('a'));
    balancer.removeBackend('a');
    expect(told.map(([name, { backend }]) => [name, backend.id])).toEqual([
      ['tidegate:backend:ready', 'a'],
      ['tidegate:backend:draining', 'a'],
      ['tidegate:backend:gone', 'a'],
    ]);
  });

  it('that throws is an uncaughtException of the process, and no connection notices', async () => {
    const thrown = new Error('a subscriber threw');
    const fail = () => {
      throw thrown;
    };
    subscribe('tidegate:connection:open', fail);
    onTestFinished(() => void unsubscribe('tidegate:connection:open', fail));
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const uncaught: unknown[] = [];
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const stage = await Stage.start(frames);
      const { client, target } = await stage.open();
      client.sendText('goes on');
      expect((await target.read(7)).toString()).toBe('goes on');
      expect(stage.told.exceptions).toEqual([]);
      expect(uncaught).toEqual([thrown]);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const other of others) process.on('uncaughtException', other);
    }
  });
});

describe('the page docs/reference/diagnostics-channel.md', () => {
  it('has every channel, and no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/diagnostics-channel.md'), 'utf8');
    const source = readFileSync(
      join(import.meta.dirname, '../../../src/server/telemetry/diagnostics/messages.ts'),
      'utf8',
    );
    const rows = [...page.matchAll(/^\| `(tidegate:[a-z:]+)` \|/gm)].map(([, name]) => name);
    const names = [...source.matchAll(/^ {2}'(tidegate:[a-z:]+)':/gm)].map(([, name]) => name);
    expect(rows).toEqual(names);
    // Nobody listens when no test does.
    expect(names.some((name) => hasSubscribers(name!))).toBe(false);
  });
});
