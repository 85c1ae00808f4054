/** Owns that each example runs as a program, compiled as a user compiles it. Needs `npm run build`. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RawClient } from '../support/raw-client.js';

const ROOT = join(import.meta.dirname, '../..');
const names = readdirSync(join(ROOT, 'examples'))
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -'.ts'.length));

const children: ChildProcessByStdio<null, Readable, null>[] = [];

beforeAll(() => {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'examples/tsconfig.json'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
});

/** Runs an example and answers with its process and the port it says it listens on. */
async function run(
  name: string,
): Promise<{ child: ChildProcessByStdio<null, Readable, null>; port: number; secure: boolean }> {
  const child = spawn(process.execPath, [join('examples', 'dist', `${name}.js`)], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const [, scheme, port] = /^(wss?):\/\/127\.0\.0\.1:(\d+)/.exec(line) ?? [];
  return { child, port: Number(port), secure: scheme === 'wss' };
}

describe('the examples as programs', () => {
  it.each(names)('%s compiles against what was built, listens and says where', async (name) => {
    const { port, secure } = await run(name);
    expect(port).toBeGreaterThan(0);
    const answer = await RawClient.handshake({ port, path: '/kitchen?name=ada', ...(secure ? { tls: true } : {}) });
    // 307: a balancer that sends clients elsewhere.
    expect([101, 307, 401, 403, 502]).toContain(answer.status);
    answer.client?.destroy();
  });

  it('03-chat ends with 0 after SIGTERM, when its guests are told 1001', async () => {
    const { child, port } = await run('03-chat');
    const ada = await RawClient.open({ port, path: '/kitchen?name=ada' });
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect((await ada.answerClose()).code).toBe(1001);
    expect(await exited).toEqual([0, null]);
  });
});
