/** Owns what the built command line does as a process: ready, signals, exit codes, reload, the demo. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { echo, type Run, tidegate } from './tidegate-process.js';

let folder: string;
let target: Server;
let targetUrl: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-process-'));
  target = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(target, 'listening');
  targetUrl = `tcp://127.0.0.1:${(target.address() as AddressInfo).port}`;
});
afterAll(() => {
  target.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('tidegate proxy', () => {
  it('says ready with its addresses, serves, logs the close report, and answers 0 after SIGTERM', async () => {
    const run = tidegate(['proxy', '--listen', '127.0.0.1:0', '--target', targetUrl, '--log-format', 'json']);
    const [url] = await run.addresses();
    expect(url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
    expect(await echo(url!, 'hello')).toBe('hello');
    expect(await run.line('connection.closed')).toMatchObject({ level: 'info', status: 1000 });
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(0);
    expect(run.stderr).toBe('');
  });

  it('answers 0 after SIGINT with a connection open, which is told 1001', async () => {
    const run = tidegate(['proxy', '--listen', '127.0.0.1:0', '--target', targetUrl, '--log-format', 'json']);
    const socket = new WebSocket((await run.addresses())[0]!);
    await once(socket, 'open');
    const closed = once(socket, 'close');
    run.child.kill('SIGINT');
    expect((await closed)[0]).toBe(1001);
    expect(await run.exited).toBe(0);
  });

  it('logs a refused upgrade', async () => {
    const run = tidegate(['proxy', '--listen', '127.0.0.1:0', '--target', 'tcp://127.0.0.1:1', '--log-format', 'json']);
    const socket = new WebSocket((await run.addresses())[0]!);
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error.message).toContain('502');
    expect(await run.line('upgrade.refused')).toMatchObject({ status: 502, code: 'UPSTREAM_REFUSED' });
  });

  it('takes everything from the environment', async () => {
    const env = { TIDEGATE_TARGET: targetUrl, TIDEGATE_LISTEN: '127.0.0.1:0', TIDEGATE_LOG_FORMAT: 'json' };
    expect(await tidegate(['proxy'], env).addresses()).toHaveLength(1);
  });

  it('answers 1 when the address is taken, and names it', async () => {
    const address = targetUrl.replace('tcp://', '');
    const run = tidegate(['proxy', '--listen', address, '--target', targetUrl, '--log-format', 'json']);
    expect(await run.exited).toBe(1);
    expect(run.lines[0]).toMatchObject({ event: 'start.failed', code: 'ADDRESS_IN_USE' });
    expect(run.lines[0]?.message).toContain(address);
  });
});

describe('tidegate run', () => {
  it('runs every proxy of a file; variables and flags win over the file; SIGHUP reads it again', async () => {
    const file = join(folder, 'run.yaml');
    const proxy = `{ listen: '127.0.0.1:0', target: '${targetUrl}' }`;
    writeFileSync(file, `proxies:\n  - ${proxy}\n  - ${proxy}\nlog: { format: text, level: error }\n`);
    const run = tidegate(['run', '--config', file, '--log-level', 'info'], {
      TIDEGATE_LOG_FORMAT: 'json',
      TIDEGATE_LOG_LEVEL: 'fatal',
    });
    const addresses = await run.addresses();
    expect(addresses).toHaveLength(2);
    for (const url of addresses) expect(await echo(url, 'x')).toBe('x');

    const reload = async (text: string | undefined) => {
      run.lines.length = 0;
      if (text !== undefined) writeFileSync(file, text);
      run.child.kill('SIGHUP');
      return run.line('reload');
    };
    expect(await reload(undefined)).toMatchObject({ result: 'unchanged' });
    expect(await reload('proxies: 5\n')).toMatchObject({ result: 'invalid', level: 'error' });
    const changed = `proxies:\n  - ${proxy}\n  - ${proxy.replace('}', ', keepAlive: 1s }')}\nlog: { format: text, level: error }\n`;
    expect(await reload(changed)).toMatchObject({
      result: 'restart needed',
      message: 'restart needed for: proxies[1].keepAlive',
    });
    expect(await echo(addresses[0]!, 'still')).toBe('still');
    run.child.kill('SIGTERM');
    expect(await run.exited).toBe(0);
  });
});

describe('tidegate demo', () => {
  it('echoes through both proxies, says what to try, and that works', async () => {
    const run = tidegate(['demo', '--listen', '127.0.0.1:0', '--log-format', 'json']);
    for (const url of await run.addresses()) expect(await echo(url, 'hello')).toBe('hello');
    const line = await tryLineOf(run);
    const [shell, ...args] = ['/bin/sh', '-c', line];
    const child = spawn(shell!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    await once(child, 'close');
    expect(output).toBe('echo: hello\n');
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(0);
  });

  it('takes a free port for a taken one, and says so', async () => {
    const address = targetUrl.replace('tcp://', '');
    const run = tidegate(['demo', '--listen', address, '--log-format', 'json']);
    expect(await run.line('demo.port')).toMatchObject({ taken: address });
    expect(await run.addresses()).toHaveLength(2);
  });
});

async function tryLineOf(run: Run): Promise<string> {
  for (;;) {
    const line = run.texts.find((text) => text.includes('node -e'));
    if (line !== undefined) return line.slice(line.indexOf('node -e'));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
