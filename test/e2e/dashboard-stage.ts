/**
 * Owns what the tests of the dashboard set up: a server with clients and targets, and a page of it in Chromium whose requests and
 * complaints are kept. Refuses to assert anything.
 */
import type { Page } from 'playwright-core';
import { onTestFinished, type TestContext } from 'vitest';
import { type BoundAddress, LoadBalancer, ProxyServer, type ProxyServerOptions } from '../../src/index.js';
import { openClient, startUpstream } from '../support/for-one-test.js';
import type { RawUpstream } from '../support/raw-upstream.js';
import type { TestBrowser } from './chromium.js';
import { startBackend } from './named-backends.js';

/** A proxy with an admin side, and its target. */
export interface Stage {
  readonly proxy: ProxyServer;
  readonly port: number;
  readonly adminUrl: string;
  readonly upstream: RawUpstream;
}

/** Starts a proxy before a target that answers nothing by itself. */
export async function startStage(options: ProxyServerOptions = {}): Promise<Stage> {
  const upstream = await startUpstream({ subprotocol: 'first' });
  const proxy = new ProxyServer({
    listen: '127.0.0.1:0',
    target: `ws://127.0.0.1:${upstream.port}`,
    admin: { listen: '127.0.0.1:0' },
    ...options,
  });
  onTestFinished(() => proxy.stop({ drainTimeout: 0 }));
  const [address] = (await proxy.start()) as [BoundAddress];
  return { proxy, port: address.port, adminUrl: proxy.adminUrl!, upstream };
}

/** Starts a balancer before backends of these names. */
export async function startBalancerStage(...ids: readonly string[]) {
  const balancer = new LoadBalancer({
    listen: '127.0.0.1:0',
    backends: await Promise.all(ids.map(async (id) => ({ id, url: (await startBackend(id)).url }))),
    health: { check: 'off' },
    admin: { listen: '127.0.0.1:0' },
  });
  onTestFinished(() => balancer.stop({ drainTimeout: 0 }));
  const [address] = (await balancer.start()) as [BoundAddress];
  return { balancer, port: address.port, adminUrl: balancer.adminUrl! };
}

/** Opens a client with the peer that its target sees. */
export async function openPair({ port, upstream }: Stage, path = '/') {
  const [client, peer] = await Promise.all([openClient({ port, path }), upstream.nextConnection()]);
  return { client, peer };
}

/** A tab that shows a dashboard. */
export interface DashboardTab {
  readonly page: Page;
  /** Where each request went. */
  readonly requests: string[];
  /** What the page complained of: errors of scripts, and what the content policy refused. */
  readonly complaints: string[];
}

/** Opens the dashboard of an admin side, at a place of it; with `clock`, time in the page can be made to pass. */
export async function openDashboard(
  browser: TestBrowser,
  context: TestContext,
  adminUrl: string,
  place = '',
  { clock = false } = {},
): Promise<DashboardTab> {
  const page = await browser.openTab(context);
  // Below that of a test: so it is told what was waited for.
  page.setDefaultTimeout(10_000);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`a dialog of a script: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // That a request got no answer, or one of an error, is told there, too.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  if (clock) await page.clock.install();
  await page.goto(`${adminUrl}/${place === '' ? '' : `dashboard${place}`}`);
  return { page, requests, complaints };
}

/** The value beside a name, in the tiles and lists of facts. */
export async function factOf(page: Page, name: string): Promise<string> {
  const row = page.locator('dl > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).first();
  return row.locator('dd').innerText();
}
