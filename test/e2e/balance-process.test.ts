/** Owns what `tidegate balance` and balancers of a file do as processes. Needs `npm run build`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBackend } from './named-backends.js';
import { openClient } from './stage.js';
import { type Line, type Run, tidegate } from './tidegate-process.js';

function fileFor(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-balance-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tidegate.yaml');
  writeFileSync(path, text);
  return path;
}

/** Who answers a new client. */
async function whoAnswers(url: string): Promise<string> {
  const client = await openClient(url);
  const name = String(await client.message());
  client.socket.close(1000);
  await client.closed;
  return name;
}

async function reload(run: Run, file: string, text: string): Promise<Line> {
  run.lines.length = 0;
  writeFileSync(file, text);
  run.child.kill('SIGHUP');
  return run.line('reload');
}

describe('tidegate balance', () => {
  it('says ready, spreads clients over its backends, tells of them, and answers 0 after SIGTERM', async () => {
    const [a, b] = [await startBackend('a'), await startBackend('b')];
    const flags = ['--backend', a.url, '--backend', b.url, '--policy', 'least-connections'];
    const run = tidegate(['balance', '--listen', '127.0.0.1:0', ...flags, '--log-format', 'json']);
    const [url] = await run.addresses();
    const clients = [await openClient(url!), await openClient(url!)];
    expect((await Promise.all(clients.map((client) => client.message()))).sort()).toEqual(['a', 'b']);
    clients[0]!.socket.send('hello');
    expect(await clients[0]!.message()).toBe('hello');
    const ready = run.lines.filter(({ event }) => event === 'backend.ready');
    expect(ready.map((line) => line.backend).sort()).toEqual([a.url, b.url].sort());
    run.child.kill('SIGTERM');
    for (const client of clients) expect((await client.closed).code).toBe(1012);
    expect(await run.exited).toBe(0);
    expect(run.stderr).toBe('');
  });

  it('takes everything from the environment, and answers 503 while no backend is there', async () => {
    const env = { TIDEGATE_CONTROL_PATH: '/control', TIDEGATE_CONTROL_TOKEN: 'a-secret-of-16-letters' };
    const run = tidegate(['balance', '--listen', '127.0.0.1:0', '--log-format', 'json'], env);
    const [url] = await run.addresses();
    await expect(openClient(url!)).rejects.toThrow('503');
    expect(await run.line('upgrade.refused')).toMatchObject({ status: 503, code: 'NO_BACKEND' });
    expect(run.texts.join()).not.toContain('a-secret-of-16-letters');
  });

  it('serves the admin API, which says where it is, and what was changed by it is logged', async () => {
    const [a, b] = [await startBackend('a'), await startBackend('b')];
    const env = { TIDEGATE_ADMIN_TOKEN: 'a-t0ken-of-16-letters' };
    const flags = ['--listen', '127.0.0.1:0', '--backend', a.url, '--admin', '127.0.0.1:0'];
    const run = tidegate(['balance', ...flags, '--log-format', 'json'], env);
    const [url] = await run.addresses();
    const [admin] = (await run.line('ready')).admin as string[];
    const ask = (path: string, init: RequestInit = {}) =>
      fetch(`${admin}${path}`, {
        ...init,
        headers: { Authorization: `Bearer ${env.TIDEGATE_ADMIN_TOKEN}`, ...init.headers },
      });
    expect((await fetch(`${admin}/api/v1/backends`)).status).toBe(401);
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    const body = JSON.stringify({ id: 'second', url: b.url });
    const headers = { 'Content-Type': 'application/json' };
    expect((await ask('/api/v1/backends', { method: 'POST', body, headers })).status).toBe(201);
    expect((await ask(`/api/v1/backends/${encodeURIComponent(a.url)}`, { method: 'DELETE' })).status).toBe(202);
    expect(await run.line('backend.gone')).toMatchObject({ backend: a.url, source: 'config' });
    expect(await whoAnswers(url!)).toBe('b');
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(0);
    expect(run.texts.join()).not.toContain(env.TIDEGATE_ADMIN_TOKEN);
  });

  it('answers 1 when the admin API cannot be had, and has taken no client', async () => {
    const taken = await startBackend('taken');
    const flags = ['--listen', '127.0.0.1:0', '--backend', taken.url, '--admin', taken.url.replace('ws://', '')];
    const run = tidegate(['balance', ...flags, '--log-format', 'json']);
    expect(await run.exited).toBe(1);
    expect(run.lines).toMatchObject([{ event: 'admin.open' }, { event: 'start.failed', code: 'ADDRESS_IN_USE' }]);
  });
});

describe('SIGHUP', () => {
  it('adds, updates and removes backends of a running balancer, and touches only clients of those removed', async () => {
    const [a, b, c] = [await startBackend('a'), await startBackend('b'), await startBackend('c')];
    const text = (backends: string, more = '') =>
      `balancers:\n  - listen: 127.0.0.1:0\n    policy: first\n    backends: [${backends}]\n${more}log: { format: json }\n`;
    const file = fileFor(text(`{ id: a, url: '${a.url}', capacity: 1 }, { id: b, url: '${b.url}' }`));
    const run = tidegate(['run', '--config', file]);
    const [url] = await run.addresses();
    const [first, second] = [await openClient(url!), await openClient(url!)];
    expect([await first.message(), await second.message()]).toEqual(['a', 'b']);

    const without = text(`{ id: a, url: '${a.url}', capacity: 1 }, { id: c, url: '${c.url}', tags: [new] }`);
    expect(await reload(run, file, without)).toMatchObject({
      level: 'info',
      balancer: 'balancers[0]',
      result: 'backends',
      added: ['c'],
      updated: [],
      removed: ['b'],
      waiting: [],
      message: 'backends: added c; removed b',
    });
    expect(await second.closed).toMatchObject({ code: 1012 });
    expect(await whoAnswers(url!)).toBe('c');

    const both = text(`{ id: a, url: '${a.url}', capacity: 2 }, { id: c, url: '${c.url}' }`, '    policies: x\n');
    expect(await reload(run, file, both)).toMatchObject({ result: 'invalid' });
    const more = both.replace('policies: x', 'slowStart: 5s');
    expect(await reload(run, file, more)).toMatchObject({ result: 'backends', updated: ['a', 'c'] });
    expect(await run.line('reload')).toMatchObject({ result: 'backends' });
    await expect
      .poll(() => run.lines.filter(({ event }) => event === 'reload').at(-1))
      .toMatchObject({ result: 'restart needed', changed: ['balancers[0].slowStart'] });
    expect(await whoAnswers(url!)).toBe('a');

    first.socket.send('still here');
    expect(await first.message()).toBe('still here');
    expect(
      await reload(run, file, without.replace('capacity: 1', 'capacity: 2').replace(', tags: [new]', '')),
    ).toMatchObject({
      result: 'unchanged',
    });
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(0);
  });

  it('brings a backend back whose clients were still leaving, when they have left', async () => {
    const [a, b] = [await startBackend('a'), await startBackend('b')];
    const text = (backends: string) =>
      `balancers:\n  - name: chat\n    listen: 127.0.0.1:0\n    policy: first\n    drain: { whenRemoved: keep }\n    backends: [${backends}]\nlog: { format: json }\n`;
    const file = fileFor(text(`{ id: a, url: '${a.url}' }, ${b.url}`));
    const run = tidegate(['run', '--config', file]);
    const [url] = await run.addresses();
    const client = await openClient(url!);
    expect(await client.message()).toBe('a');
    expect(await reload(run, file, text(b.url))).toMatchObject({ balancer: 'chat', removed: ['a'] });
    expect(await whoAnswers(url!)).toBe('b');
    const back = text(`{ id: a, url: '${a.url}' }, ${b.url}`);
    expect(await reload(run, file, back)).toMatchObject({ waiting: ['a'], level: 'warn' });
    expect(await whoAnswers(url!)).toBe('b');
    const ready = run.line('backend.ready');
    client.socket.close(1000);
    expect(await ready).toMatchObject({ backend: 'a' });
    await client.closed;
  });
});
