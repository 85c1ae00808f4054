/** Owns that real clients can say who they are: `ws`, the client of Node.js, and Chromium with a token in a subprotocol or a cookie. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { WebSocket } from 'ws';
import type { ProxyServerOptions } from '../../src/index.js';
import { findChromium } from '../support/services.js';
import { SECRET, sign } from '../support/tokens.js';
import { listenOn } from './listen-on.js';
import { openClient, startProxy, startWsTarget } from './stage.js';

const PASSWORD = 'lovelace';
const BEARER: ProxyServerOptions['authentication'] = { subprotocol: 'bearer', jwt: { secret: SECRET } };

async function stage(options: Omit<ProxyServerOptions, 'target'>) {
  const target = await startWsTarget();
  return { target, ...(await startProxy({ target: target.url, ...options })) };
}

/** The status that a refused client of `ws` sees. */
async function refusal(url: string, protocols: string[] = [], headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url, protocols, { headers });
  socket.on('error', () => {});
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  socket.terminate();
  return answer.statusCode;
}

describe('ws', () => {
  it('shows a password, in the URL or in Authorization', async () => {
    const { url, nextConnection } = await stage({ authentication: { users: { ada: PASSWORD } } });
    await openClient(url.replace('://', `://ada:${PASSWORD}@`));
    expect((await nextConnection()).principal).toMatchObject({ name: 'ada', scheme: 'basic' });
    expect(await refusal(url.replace('://', '://ada:wrong@'))).toBe(401);
    expect(await refusal(url)).toBe(401);
  });

  it('shows a token in Authorization, in a subprotocol and as its first message', async () => {
    const { url, nextConnection, target } = await stage({ authentication: { ...BEARER, firstMessage: true } });
    const token = await sign();
    await openClient(url, [], { headers: { Authorization: `Bearer ${token}` } });
    expect((await nextConnection()).principal?.name).toBe('ada');
    const { socket } = await openClient(url, ['bearer', token, 'chat']);
    expect(socket.protocol).toBe('chat');
    const third = await openClient(url);
    third.socket.send(token);
    third.socket.send('hello');
    const talkers = [await target.nextTalker(), await target.nextTalker(), await target.nextTalker()];
    expect(await talkers[2]!.message()).toBe('hello');
    for (const { request } of talkers) expect(JSON.stringify(request?.rawHeaders)).not.toContain(token);
    expect(await refusal(url, [], { Authorization: 'Bearer wrong' })).toBe(401);
  });
});

it('the client of Node.js shows a token in a subprotocol', async (context) => {
  const flag = '--experimental-websocket';
  if (!('WebSocket' in globalThis) && !process.allowedNodeEnvironmentFlags.has(flag)) {
    return context.skip(`Node.js ${process.version} has no WebSocket client`);
  }
  const { url } = await stage({ authentication: BEARER });
  const program = `
    const socket = new WebSocket(process.argv[1], ['bearer', process.argv[2]]);
    socket.onopen = () => { console.log('open ' + socket.protocol); socket.close(); };
    socket.onerror = () => console.log('error');`;
  const run = async (token: string) => {
    const flags = 'WebSocket' in globalThis ? [] : [flag];
    const child = spawn(process.execPath, [...flags, '-e', program, url, token], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
    });
    await once(child, 'close');
    return output.trim();
  };
  expect(await run(await sign())).toBe('open bearer');
  expect(await run('wrong')).toMatch(/^error/);
});

describe('a page in Chromium', () => {
  /** A page of its own origin, and what becomes of a WebSocket that it opens. */
  async function openPage(context: TestContext) {
    const found = findChromium();
    if (found.missing !== undefined) return context.skip(found.missing);
    const profile = await mkdtemp(join(tmpdir(), 'tidegate-chromium-'));
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: found.path,
      headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    });
    onTestFinished(async () => {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    }, 30_000);
    const server = createServer((_, response) =>
      response.setHeader('content-type', 'text/html').end('<!doctype html>'),
    );
    const origin = `http://127.0.0.1:${await listenOn(server)}`;
    const page = await browser.newPage();
    await page.goto(origin);
    const connect = (url: string, protocols: string[] = []): Promise<string> =>
      page.evaluate(`new Promise((resolve) => {
        const socket = new WebSocket(${JSON.stringify(url)}, ${JSON.stringify(protocols)});
        socket.onopen = () => resolve('open ' + socket.protocol);
        socket.onclose = ({ code }) => resolve('closed ' + code);
      })`);
    return { page, origin, connect };
  }

  it('shows a token in a subprotocol, with and without another one, joined or not', async (context) => {
    const { connect } = await openPage(context);
    const { url } = await stage({ authentication: BEARER });
    const token = await sign();
    expect(await connect(url, ['bearer', token])).toBe('open bearer');
    expect(await connect(url, ['bearer', token, 'chat'])).toBe('open chat');
    expect(await connect(url, [`bearer.${token}`, 'chat'])).toBe('open chat');
    expect(await connect(url, ['bearer', 'wrong'])).toBe('closed 1006');
    expect(await connect(url)).toBe('closed 1006');
  });

  it('asks for a session, gets a cookie for the host, and connects with it; a page that was not named does not', async (context) => {
    const { page, origin, connect } = await openPage(context);
    const options: ProxyServerOptions = {
      origins: [origin],
      authentication: { users: { ada: PASSWORD }, cookie: 'sid', sessions: { singleUse: false } },
    };
    const { url, nextConnection, target } = await stage(options);
    expect(await connect(url)).toBe('closed 1006');
    const asked = await page.evaluate<{ status: number; expiresIn: number }>(`
      fetch(${JSON.stringify(`${url.replace('ws:', 'http:')}/session`)}, {
        method: 'POST', credentials: 'include', headers: { Authorization: 'Basic ' + btoa('ada:${PASSWORD}') },
      }).then(async (answer) => ({ status: answer.status, ...(await answer.json()) }))`);
    expect(asked.status).toBe(200);
    expect(asked.expiresIn).toBeGreaterThan(0);
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await connect(url)).toBe('open ');
    expect((await nextConnection()).principal).toMatchObject({ name: 'ada', scheme: 'session' });
    expect((await target.nextTalker()).request?.headers.cookie).toBeUndefined();

    const elsewhere = await stage({ ...options, origins: ['https://app.example'] });
    expect(await connect(elsewhere.url)).toBe('closed 1006');
  });

  it('sends its token as the first message', async (context) => {
    const { page } = await openPage(context);
    const { url, target } = await stage({ authentication: { firstMessage: true, jwt: { secret: SECRET } } });
    const talking = target.nextTalker();
    const ended = page.evaluate<string>(`new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(url)});
      socket.onopen = () => { socket.send(${JSON.stringify(await sign())}); socket.send('hello'); };
      socket.onmessage = ({ data }) => resolve(data);
      socket.onclose = ({ code }) => resolve('closed ' + code);
    })`);
    const talker = await talking;
    expect(await talker.message()).toBe('hello');
    talker.socket.send('back');
    expect(await ended).toBe('back');
  });
}, 60_000);
