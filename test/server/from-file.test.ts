/** Holds that a program can run what a configuration file says, as the command line does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkConfig, loadConfig, ProxyServer } from '../../src/index.js';
import { RawClient } from '../support/raw-client.js';
import { TcpPeer } from '../support/tcp-peer.js';

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'tidegate.yaml');
  writeFileSync(path, text);
  return path;
}

it('a proxy of a configuration file runs in a program', async () => {
  const echo = await TcpPeer.echo();
  onTestFinished(() => echo.close());
  const path = file(`proxies:\n  - name: echo\n    listen: 127.0.0.1:0\n    target: ${echo.url}\n`);
  expect(await checkConfig(path)).toEqual([]);
  const { proxies } = await loadConfig(path);
  const servers = proxies.map(({ name: _name, ...options }) => new ProxyServer(options));
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  const [address] = await servers[0]!.start();
  const client = await RawClient.open({ port: address!.port });
  client.sendText('hello');
  expect((await client.nextBinary()).toString()).toBe('hello');
  client.destroy();
});

it('a wrong configuration file is refused with every problem and its line', async () => {
  const path = file('proxies:\n  - listen: 99999\n    target: http://x\n');
  await expect(loadConfig(path)).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringMatching(/yaml:2:\d+: .*listen[\s\S]*yaml:3:\d+: .*target/),
  });
});
