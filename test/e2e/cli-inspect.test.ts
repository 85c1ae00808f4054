/** Holds that docs/guide/inspecting.md works as it stands, but for ports, and what `--inspect` says when it cannot. Needs `npm run build`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from '../../src/server/cli/run-cli.js';
import { RelayPage } from '../server/inspection/relay.js';
import { refusedPort } from '../support/tcp-peer.js';
import { echo, tidegate } from './tidegate-process.js';

const ROOT = join(import.meta.dirname, '../..');
const guide = readFileSync(join(ROOT, 'docs/guide/inspecting.md'), 'utf8');

/** The code in the guide that has this in it. */
function code(part: string): string {
  const blocks = [...guide.matchAll(/```\w+\n([\s\S]*?)```/g)].map(([, text]) => text!);
  return blocks.find((text) => text.includes(part))!;
}

/** Runs a program of the guide, and resolves with its first line. */
async function runProgram(text: string, ...args: string[]): Promise<string> {
  const folder = join(ROOT, 'examples', 'dist');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `inspecting-${process.pid}-${args.length}.mjs`);
  writeFileSync(file, text);
  // A path without programs: no browser is opened.
  const child = spawn(process.execPath, [file, ...args], { env: { PATH: '' }, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(file);
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line;
}

it('the steps of the guide show the demo in the inspector', async () => {
  const port = await refusedPort();
  const line = await runProgram(code('createInspectorServer({'), String(port));
  const [, relay = ''] = /reach it at (\S+)/.exec(line) ?? [];
  const words = code('tidegate demo').trim().replace('8080', '0').replace('ws://localhost:8090', relay).split(' ');
  const demo = tidegate([...words.slice(1), '--log-format', 'json']);
  expect(await demo.line('inspector.connected')).toMatchObject({ url: `${relay}/` });
  const page = await RelayPage.open(relay);
  const [, second] = await demo.addresses();
  expect(await echo(second!, 'hello')).toBe('hello');
  const connection = await page.actor('ws echo conn-1');
  await page.actor('ws echo upstream-1');
  await page.actor('tcp echo supervisor');
  await page.state(connection, 'closed');
  demo.child.kill('SIGTERM');
  expect(await demo.exited).toBe(0);
});

it('the program of the guide shows its server', async () => {
  const port = await refusedPort();
  await runProgram(code('createInspectorServer({'), String(port));
  const page = await RelayPage.open(`ws://localhost:${port}`);
  const text = code('inspect(proxy,').replace('8081', '0').replace('8090', String(port)).split('// … later')[0]!;
  void runProgram(text).catch(() => {});
  expect((await page.actor('supervisor')).definition).toContain('draining');
});

it.each([
  [['--listen', '127.0.0.1:8080', '--inspect'], 'the server itself listens on localhost:8080'],
  [['--inspect', 'ws://192.0.2.1:8080'], 'expected an address of this machine'],
  [['--inspect', 'nowhere'], 'got "nowhere"; expected the address of a relay'],
])('refuses %j', async (flags, message) => {
  let said = '';
  const stderr = {
    write: (text: string) => {
      said += text;
    },
  };
  const argv = ['proxy', '--target', 'tcp://127.0.0.1:1', ...flags];
  expect(await runCli(argv, { stdout: { write() {} }, stderr, env: {} })).toBe(2);
  expect(said).toContain(`tidegate: --inspect: `);
  expect(said).toContain(message);
});
