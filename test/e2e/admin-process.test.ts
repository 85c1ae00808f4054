/** Holds what the admin API of a whole process does: of every server of a file, and of the demo. Needs `npm run build`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createProxy } from '../../src/server/cli/create-server.js';
import { createLogger } from '../../src/server/telemetry/logger.js';
import { askAdmin } from '../server/admin/ask-admin.js';
import { folderForTest } from '../support/folder.js';
import { echo, type Run, tidegate } from './tidegate-process.js';

const TOKEN = 'a-t0ken-of-sixteen-and-more';

async function adminOf(run: Run): Promise<string> {
  return ((await run.line('ready')).admin as string[])[0]!;
}

function asker(url: string, token?: string) {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  return (method: string, path: string, body?: unknown) => askAdmin(url, { method, path, body, headers });
}

describe('tidegate run', () => {
  it('serves one admin API for every server of its file, through which the process is told what signals tell it', async () => {
    const file = join(folderForTest(), 'tidegate.yaml');
    const proxies = (more = '') => `proxies:
  - { name: one, listen: "127.0.0.1:0", target: "tcp://127.0.0.1:9"${more} }
  - { listen: "127.0.0.1:0", target: "tcp://127.0.0.1:9" }
admin: { listen: "127.0.0.1:1" }
`;
    await writeFile(file, proxies());
    const flags = ['--admin', '127.0.0.1:0', '--log-format', 'json'];
    const run = tidegate(['run', '--config', file, ...flags], { TIDEGATE_ADMIN_TOKEN: TOKEN });
    const url = await adminOf(run);
    const ask = asker(url, TOKEN);
    expect((await asker(url)('GET', '/api/v1/servers')).status).toBe(401);
    const servers = [
      { name: 'one', kind: 'proxy', state: 'running' },
      { name: 'proxies[1]', kind: 'proxy', state: 'running' },
    ];
    expect((await ask('GET', '/api/v1/servers')).body).toMatchObject({ servers });
    expect((await ask('GET', '/api/v1/stats?server=proxies%5B1%5D')).body).toMatchObject({
      process: { pid: run.child.pid },
    });

    expect((await ask('PUT', '/api/v1/log-level', { level: 'debug' })).body).toEqual({ level: 'debug' });
    expect((await ask('GET', '/api/v1/log-level')).body).toEqual({ level: 'debug' });
    expect(await run.line('log.level')).toMatchObject({ from: 'info', to: 'debug' });

    const unchanged = { certificates: [], file: { result: 'unchanged' } };
    expect((await ask('POST', '/api/v1/reload')).body).toMatchObject(unchanged);
    await writeFile(file, proxies(', keepAlive: 7s'));
    const restart = { file: { result: 'restart needed', changed: ['proxies[0].keepAlive'] } };
    expect((await ask('POST', '/api/v1/reload')).body).toMatchObject(restart);
    await writeFile(file, 'proxies: 5');
    const refused = await ask('POST', '/api/v1/reload');
    expect([refused.status, refused.body]).toMatchObject([409, { error: { code: 'INVALID_CONFIG' } }]);

    expect((await ask('GET', '/readyz')).status).toBe(200);
    expect((await ask('POST', '/api/v1/drain')).status).toBe(202);
    expect(await run.exited).toBe(0);
    expect(await run.line('stopped')).toBeDefined();
    expect(run.texts.join()).not.toContain(TOKEN);
  });

  it('refuses flags that would open the API to everybody', async () => {
    const file = join(folderForTest(), 'tidegate.yaml');
    await writeFile(file, 'proxies: [{ listen: "127.0.0.1:0", target: "tcp://127.0.0.1:9" }]');
    const run = tidegate(['run', '--config', file, '--admin', '0.0.0.0:0']);
    expect(await run.exited).toBe(2);
    expect(run.stderr).toContain('--admin-token: got nothing; expected a secret');
  });
});

describe('tidegate demo', () => {
  it('has an admin API for both of its proxies, says where, and takes a free port when the one it wants is taken', async () => {
    const run = tidegate(['demo', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--log-format', 'json']);
    const url = await adminOf(run);
    const [, proxy] = await run.addresses();
    await expect.poll(() => run.texts.join('\n')).toContain(`${url}/`);
    await echo(proxy!, 'hello');
    const { body } = await asker(url)('GET', '/api/v1/stats?server=ws%20echo');
    expect(body).toMatchObject({ kind: 'proxy', opened: 1 });

    const admin = url.replace('http://', '');
    const second = tidegate(['demo', '--listen', '127.0.0.1:0', '--admin', admin, '--log-format', 'json']);
    expect(await adminOf(second)).not.toBe(url);
    expect(await second.line('demo.port')).toMatchObject({ taken: admin });
  });
});

it('an admin API without a token is warned of where it is made, as it is open to everybody on the machine', () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ format: 'json', level: 'info', destination });
  createProxy({ target: 'tcp://127.0.0.1:9', admin: { listen: '127.0.0.1:0', token: TOKEN } }, logger);
  createProxy({ target: 'tcp://127.0.0.1:9' }, logger);
  expect(lines).toEqual([]);
  createProxy({ target: 'tcp://127.0.0.1:9', admin: { listen: 9090 } }, logger);
  expect(lines).toMatchObject([{ level: 'warn', event: 'admin.open', admin: 9090 }]);
});
