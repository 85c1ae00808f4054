/** Owns a real browser that trusts a certificate authority of the test, and speaks wss: with what that has signed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { TestAuthority } from '../support/authority.js';
import { folderForTest } from '../support/folder.js';
import { CHROMIUM_FLAGS, findCertutil, findChromium } from '../support/services.js';
import { TcpPeer } from '../support/tcp-peer.js';
import { listenOn } from './listen-on.js';
import { startProxy } from './stage.js';

const authority = new TestAuthority('Authority of a test');
const stranger = new TestAuthority('Authority of nobody');
const issue = (...names: string[]) => {
  const { cert, key } = authority.issue({ names });
  return { cert, key };
};

const FLAGS = [...CHROMIUM_FLAGS, '--host-resolver-rules=MAP *.example.org 127.0.0.1'];

const programs = [findChromium(), findCertutil()];
const missing = programs.find((one) => one.missing !== undefined)?.missing;
let home: string | undefined;
let browser: BrowserContext | undefined;

beforeAll(async () => {
  const [found, certutil] = programs;
  if (found === undefined || found.missing !== undefined) return;
  if (certutil === undefined || certutil.missing !== undefined) return;
  home = mkdtempSync(join(tmpdir(), 'tidegate-browser-tls-'));
  const store = join(home, '.pki/nssdb');
  mkdirSync(store, { recursive: true });
  writeFileSync(join(home, 'ca.pem'), authority.cert);
  execFileSync(certutil.path, ['-N', '-d', `sql:${store}`, '--empty-password']);
  execFileSync(certutil.path, ['-A', '-d', `sql:${store}`, '-n', 'test', '-t', 'C,,', '-i', join(home, 'ca.pem')]);
  browser = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: found.path,
    headless: true,
    args: FLAGS,
    env: { ...process.env, HOME: home, XDG_DATA_HOME: join(home, '.local/share') } as Record<string, string>,
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  if (home !== undefined) rmSync(home, { recursive: true, force: true });
});

/** Opens a WebSocket in a page, sends a text, and answers with what came back, or `refused`. */
async function echo(context: TestContext, url: string): Promise<string> {
  if (missing !== undefined) return context.skip(missing);
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>tidegate</title>');
  });
  const page = await browser!.newPage();
  onTestFinished(() => page.close());
  await page.goto(`http://127.0.0.1:${await listenOn(server)}/`);
  const program = `new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(url)});
    socket.onopen = () => socket.send('over TLS');
    socket.onmessage = async ({ data }) => { socket.close(1000); resolve(data.text ? await data.text() : data); };
    socket.onerror = () => resolve('refused');
  })`;
  return page.evaluate<string>(program);
}

async function serve(tls: Parameters<typeof startProxy>[0]['tls']) {
  const target = await TcpPeer.echo();
  onTestFinished(() => target.close());
  const { server } = await startProxy({ target: target.url, frameType: 'text', tls });
  return { server, port: server.addresses[0]!.port };
}

describe('a page', () => {
  it('opens wss: with a certificate of an authority that the browser trusts', async (context) => {
    const { port } = await serve(issue('localhost'));
    expect(await echo(context, `wss://localhost:${port}/`)).toBe('over TLS');
  });

  it('is given the certificate of the name it asks for', async (context) => {
    const { port } = await serve({
      ...issue('localhost'),
      certificates: [issue('*.example.org'), issue('exact.example.org')],
    });
    expect(await echo(context, `wss://a.example.org:${port}/`)).toBe('over TLS');
    expect(await echo(context, `wss://exact.example.org:${port}/`)).toBe('over TLS');
  });

  it('is not opened with one of another authority, or for another name', async (context) => {
    const { cert, key } = stranger.issue({ names: ['localhost'] });
    expect(await echo(context, `wss://localhost:${(await serve({ cert, key })).port}/`)).toBe('refused');
    expect(await echo(context, `wss://localhost:${(await serve(issue('other.example'))).port}/`)).toBe('refused');
  });

  it('takes a renewed certificate while it comes back', async (context) => {
    const folder = folderForTest();
    const write = ({ cert, key }: { cert: string; key: string }) => {
      writeFileSync(join(folder, 'a.pem'), cert);
      writeFileSync(join(folder, 'a.key'), key);
    };
    write(issue('localhost'));
    const { server, port } = await serve({ cert: join(folder, 'a.pem'), key: join(folder, 'a.key'), watch: false });
    expect(await echo(context, `wss://localhost:${port}/`)).toBe('over TLS');
    write(issue('localhost'));
    expect(server.reloadCertificates()).toMatchObject([{ result: 'reloaded' }]);
    expect(await echo(context, `wss://localhost:${port}/`)).toBe('over TLS');
  });
});
