/**
 * Owns that a process without file descriptors for one more connection lives, keeps the connections that it has, does not
 * spin, and takes new ones when there is room again. Needs `npm run build`, and prlimit.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectTcp } from '../support/tcp-peer.js';
import { openClient, startUpstream } from './running.js';

const PROGRAM = fileURLToPath(new URL('./out-of-descriptors.mjs', import.meta.url));
const hasPrlimit = spawnSync('prlimit', ['--version']).error === undefined;

interface Line {
  readonly port?: number;
  readonly cpu?: number;
  readonly filled?: string;
  readonly emptied?: boolean;
  readonly event?: string;
  readonly error?: string;
}

/** Starts the process, whose watchdog looks so often, before a target, with one connection through it, and gives what it says line by line. */
async function startProcess(interval: string) {
  const upstream = await startUpstream();
  const child = spawn(process.execPath, [PROGRAM, upstream.url, interval], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill();
    await exited;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const told: Line[] = [];
  const next = async (wanted: (line: Line) => unknown): Promise<Line> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`it ended: ${JSON.stringify(told)}`);
      const line = JSON.parse(value) as Line;
      told.push(line);
      if (wanted(line)) return line;
    }
  };
  const { port = 0 } = await next((line) => line.port);
  const client = await openClient({ port });
  const peer = await upstream.nextConnection();
  const { pid } = child;
  return {
    port,
    told,
    next,
    do: (verb: string) => child.stdin.write(`${verb}\n`),
    limit: (soft: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]),
    descriptors: () => Math.max(...readdirSync(`/proc/${pid}/fd`).map(Number)),
    /** The connection from before carries a message each way. */
    async expectAlive(text: string) {
      client.sendText(text);
      expect(await peer.nextText()).toBe(text);
      peer.sendText(text);
      expect(await client.nextText()).toBe(text);
    },
    async expectOpen() {
      const another = await openClient({ port });
      const target = await upstream.nextConnection();
      another.sendText('new');
      expect(await target.nextText()).toBe('new');
    },
  };
}

describe.runIf(hasPrlimit)('a process that is out of file descriptors', () => {
  it('turns clients away, keeps those it has, and takes new ones when there is room again', async () => {
    // On a machine that is busy with others the loop never rests either, and the watchdog would take that for spinning.
    const running = await startProcess('1h');
    running.limit(running.descriptors() + 20);
    running.do('fill');
    expect((await running.next((line) => line.filled)).filled).toBe('EMFILE');
    for (let round = 0; round < 3; round += 1) {
      const turned = await connectTcp({ port: running.port });
      await turned.waitForEnd();
      expect(turned.bytesReceived).toBe(0);
      turned.destroy();
      await running.expectAlive(`round ${round}`);
    }
    running.do('empty');
    await running.next((line) => line.emptied);
    await running.expectOpen();
    expect(running.told.filter(({ event }) => event !== undefined)).toEqual([]);
  });

  it('does not spin when not even its reserve is of use: the listener is closed, and opened when there is room again', async () => {
    const running = await startProcess('100ms');
    // No number below the limit can ever be free.
    running.limit(8);
    const turned = await connectTcp({ port: running.port });
    const lost = await running.next(({ event }) => event === 'listener.lost');
    expect(lost.error).toContain('EMFILE');
    turned.destroy();
    await expect(connectTcp({ port: running.port })).rejects.toThrow('ECONNREFUSED');
    running.do('cpu');
    const { cpu: before = 0 } = await running.next((line) => line.cpu);
    const begun = performance.now();
    for (let round = 0; round < 100; round += 1) {
      await running.expectAlive(`round ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    running.do('cpu');
    const { cpu: after = 0 } = await running.next((line) => line.cpu);
    expect((after - before) / 1000 / (performance.now() - begun)).toBeLessThan(0.7);
    running.limit(1000);
    await running.next(({ event }) => event === 'listener.restored');
    await running.expectOpen();
    await running.expectAlive('to the end');
  });
});
