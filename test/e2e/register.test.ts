/** Owns what `tidegate register` does as a process, beside a backend that knows nothing of it. Needs `npm run build`. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { runCli } from '../../src/server/cli/run-cli.js';
import { Client, inState, registerByHand, startBalancer, TOKEN } from '../server/control/stage.js';
import { eventually } from '../support/events.js';

const MAIN = fileURLToPath(new URL('../../dist/server/cli/main.js', import.meta.url));

class Sidecar {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly events: string[] = [];
  readonly exited: Promise<number | null>;

  constructor(argv: string[], env: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [MAIN, 'register', '--log-format', 'json', ...argv], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    createInterface({ input: this.child.stdout }).on('line', (text) => {
      this.events.push((JSON.parse(text) as { event: string }).event);
    });
    this.child.stderr.resume();
    this.exited = once(this.child, 'close').then(([code]) => code as number | null);
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.exited;
    });
  }
}

/** An echo server that has never heard of Tidegate. */
async function startPlain(port = 0): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(`plain: ${String(data)}`)));
  await once(server, 'listening');
  const close = () => {
    for (const socket of server.clients) socket.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  onTestFinished(close);
  const { port: bound } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${bound}`, port: bound, close };
}

describe('tidegate register', () => {
  it('makes a backend of a server that knows nothing of it, and leaves on SIGTERM with 0', async () => {
    const { balancer, url, control } = await startBalancer({ drain: { whenRemoved: 'keep' } });
    const plain = await startPlain();
    const argv = [
      '--balancer',
      control,
      '--advertise',
      plain.url,
      '--id',
      'plain',
      '--weight',
      '2',
      '--tag',
      'a',
      '--tag',
      'b',
    ];
    const sidecar = new Sidecar(argv, { TIDEGATE_TOKEN: TOKEN });
    await inState(balancer, 'plain', 'ready');
    expect(balancer.backends()).toMatchObject([{ url: plain.url, weight: 2, tags: ['a', 'b'] }]);
    const client = await Client.open(url);
    expect(await client.ask('hello')).toBe('plain: hello');
    sidecar.child.kill('SIGTERM');
    expect(await sidecar.exited).toBe(0);
    expect(sidecar.events).toEqual([
      'ready',
      'balancer.connected',
      'balancer.state',
      'draining',
      'balancer.disconnected',
      'stopped',
    ]);
    expect(balancer.backends()).toMatchObject([{ state: 'draining', draining: 'removed' }]);
    expect(await client.ask('still')).toBe('plain: still');
  });

  it('that is killed loses its backend, whose clients live on', async () => {
    const { balancer, url, control } = await startBalancer();
    const plain = await startPlain();
    const sidecar = new Sidecar(['--balancer', control, '--advertise', plain.url, '--id', 'plain', '--token', TOKEN]);
    await inState(balancer, 'plain', 'ready');
    const client = await Client.open(url);
    await client.ask('hello');
    sidecar.child.kill('SIGKILL');
    await inState(balancer, 'plain', 'draining');
    expect(await client.ask('still')).toBe('plain: still');
  });

  it('that hangs is lost when its lease ends, and is back when it goes on', async () => {
    const { balancer, url, control } = await startBalancer({ control: { lease: '1500ms' } });
    const plain = await startPlain();
    const sidecar = new Sidecar(['--balancer', control, '--advertise', plain.url, '--id', 'plain', '--token', TOKEN]);
    await inState(balancer, 'plain', 'ready');
    const client = await Client.open(url);
    await client.ask('hello');
    sidecar.child.kill('SIGSTOP');
    await inState(balancer, 'plain', 'draining');
    expect(await client.ask('still')).toBe('plain: still');
    sidecar.child.kill('SIGCONT');
    await inState(balancer, 'plain', 'ready');
    expect(balancer.backends()[0]!.generation).toBeGreaterThan(1);
    expect(await client.ask('and still')).toBe('plain: and still');
  });

  it('--check sends clients only while the backend is there', async () => {
    const { balancer, url, control } = await startBalancer();
    const plain = await startPlain();
    await plain.close();
    const check = ['--check', `127.0.0.1:${plain.port}`, '--check-interval', '20ms'];
    new Sidecar(['--balancer', control, '--advertise', plain.url, '--id', 'plain', '--token', TOKEN, ...check]);
    await eventually(() => balancer.backends().length === 1, 'it is registered');
    expect(balancer.backends()).toMatchObject([{ available: false }]);
    const again = await startPlain(plain.port);
    await inState(balancer, 'plain', 'ready');
    expect(await (await Client.open(url)).ask('hello')).toBe('plain: hello');
    await again.close();
    await inState(balancer, 'plain', 'draining');
  });

  it('ends with 1 when the balancer has no use for the backend any more', async () => {
    const { balancer, control } = await startBalancer();
    const sidecar = new Sidecar([
      '--balancer',
      control,
      '--advertise',
      'ws://127.0.0.1:9',
      '--id',
      'a',
      '--token',
      TOKEN,
    ]);
    await inState(balancer, 'a', 'ready');
    await registerByHand(control, { id: 'a' });
    expect(await sidecar.exited).toBe(1);
    expect(sidecar.events.slice(-3)).toEqual(['balancer.error', 'failed', 'stopped']);
  });

  it.each([
    [['--advertise', 'ws://127.0.0.1:9'], '--balancer: got nothing'],
    [['--balancer', 'ws://127.0.0.1:9'], '--advertise: got nothing'],
    [['--balancer', 'ws://127.0.0.1:9', '--advertise', 'auto'], '--advertise: got "auto"'],
    [['--balancer', 'ws://127.0.0.1:9', '--advertise', 'ws://[::]:9'], 'leads nowhere from another machine'],
    [['--balancer', 'http://127.0.0.1:9', '--advertise', 'ws://127.0.0.1:9'], '--balancer: got "http://127.0.0.1:9"'],
    [['--balancer', 'ws://127.0.0.1:9', '--advertise', 'ws://127.0.0.1:9', '--check', 'x'], '--check: got "x"'],
  ])('%j ends with 2 and names what is wrong', async (argv, text) => {
    let said = '';
    const write = (words: string) => {
      said += words;
    };
    const io = { stdout: { write }, stderr: { write }, env: {} };
    expect(await runCli(['register', ...argv], io)).toBe(2);
    expect(said).toContain(text);
  });
});
