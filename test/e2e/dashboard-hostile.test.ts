/** Owns that whatever strangers chose is text in the dashboard, and nothing else: no script of it runs, and the page holds together. */
import type { Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { accept, ConnectionReceiver } from '../../src/index.js';
import { eventually } from '../support/events.js';
import { openClient } from '../support/for-one-test.js';
import { useChromium } from './chromium.js';
import { type DashboardTab, openDashboard, startBalancerStage, startStage } from './dashboard-stage.js';

const browser = useChromium();

const MARKUP = `"'><img src=http://127.0.0.1:9/x onerror=alert(1)><script>alert(2)</script><a href="javascript:alert(3)">`;

/** Turns the direction of what follows, breaks lines, hides, and is far too long, both with and without a place to break. */
const HOSTILE = `${MARKUP}\u202egnp\u2066\u0000\u0007\u200b\u2028${'Z\u0300'.repeat(40)}${'\u0301'.repeat(400)}${'W'.repeat(3000)} \${7*7} {{7*7}}`;

/** As much as the field allows. */
const SUBPROTOCOL = "o'onerror'alert`1`|$x";

/** What may not be shown as it is. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}]/u;

/** Puts hostile text behind the API: before each text of every answer but names of states and numbers as text. */
async function poison(page: Page): Promise<void> {
  const kept = new Set(['kind', 'openedAt', 'chart', 'state', 'next']);
  const poisoned = (value: unknown, key: string): unknown => {
    if (key === 'chart') return { ...(value as object), [HOSTILE]: HOSTILE };
    if (typeof value === 'string') return kept.has(key) ? value : `${HOSTILE}${value}`;
    if (Array.isArray(value)) return [...value.map((one) => poisoned(one, key)), ...(key === 'tags' ? [HOSTILE] : [])];
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, poisoned(inner, name)]));
  };
  // Before the server is stopped, which hooks of before do.
  onTestFinished(() => page.unrouteAll({ behavior: 'ignoreErrors' }));
  await page.route('**/api/v1/**', async (route) => {
    const request = new URL(route.request().url());
    const path = decodeURIComponent(request.pathname).replace(HOSTILE, '');
    if (path.endsWith('/inspect')) return route.abort();
    request.searchParams.delete('server');
    const response = await route.fetch({ url: `${request.origin}${path}${request.search}` });
    await route.fulfill({ response, json: poisoned(await response.json(), '') });
  });
}

/** Asserts that the page is as it should be, and how wide it is. */
async function expectHarmless({ page, requests, complaints }: DashboardTab, origin: string): Promise<void> {
  expect(complaints).toEqual([]);
  expect(requests.filter((url) => new URL(url).origin !== origin && !url.startsWith('data:'))).toEqual([]);
  expect(await page.locator('body img, main script, iframe, object, embed, [href^="javascript:" i]').count()).toBe(0);
  const shown = await page.locator('body').innerText();
  expect(shown.replaceAll(/[\n\t]/g, ' ')).not.toMatch(UNSEEN);
  expect(await overflowOf(page)).toBe(0);
}

/** By how many pixels the page is wider than the screen. */
function overflowOf(page: Page): Promise<number> {
  return page.locator('html').evaluate((root) => root.scrollWidth - root.clientWidth);
}

/** Lets one connection in, under hostile names. */
class Hostile extends ConnectionReceiver {
  override onUpgradeRequest() {
    return accept({ subprotocol: SUBPROTOCOL });
  }
  override onOpen(): void {
    this.connection.subscribe(HOSTILE);
  }
}

describe('hostile text', { timeout: 60_000 }, () => {
  it('of a client stays text: its path, its subprotocol, its channel, its reason', async (context) => {
    const stage = await startStage({ receiver: () => new Hostile() });
    const path = `/"><svg/onload=alert(1)>?q=<script>alert(2)</script>`;
    const client = await openClient({
      port: stage.port,
      path,
      subprotocols: [SUBPROTOCOL],
    });
    const tab = await openDashboard(browser, context, stage.adminUrl, '#/connections');
    await tab.page.getByRole('cell', { name: '/"><svg/onload=alert(1)>' }).waitFor();
    await tab.page.getByRole('rowheader').getByRole('link').click();
    await tab.page.getByText(SUBPROTOCOL).waitFor();
    await tab.page.getByText('\\u{202e}gnp').waitFor();
    const peer = await stage.upstream.nextConnection();
    void peer.answerClose();
    client.sendClose(4000, `<img src=x onerror=alert(1)>\u202e`);
    await tab.page.getByText('This connection is over.').waitFor();
    await expectHarmless(tab, stage.adminUrl);
  });

  it('in every answer of the API, on every view, at the width of a phone, runs nothing and moves nothing', async (context) => {
    const { port, adminUrl } = await startBalancerStage('one');
    await openClient({ port });
    const tab = await openDashboard(browser, context, adminUrl);
    const { page } = tab;
    await poison(page);
    await page.setViewportSize({ width: 360, height: 740 });
    const show = async (place: string, what: string | RegExp) => {
      await page.goto(`${adminUrl}/dashboard${place}`);
      await page.getByText(what).first().waitFor();
      await expectHarmless(tab, adminUrl);
    };
    await show('#/', 'Opened in all');
    await show('#/charts', 'Backends');
    await show('#/backends', /gnp/);
    await page.getByRole('button', { name: /^Drain / }).click();
    await page.getByRole('dialog').waitFor();
    await expectHarmless(tab, adminUrl);
    await page.keyboard.press('Escape');
    await show('#/connections', /gnp/);
    await page.getByRole('rowheader').getByRole('link').click();
    await eventually(async () => (await page.getByRole('term').count()) > 10, 'the facts are shown');
    await expectHarmless(tab, adminUrl);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByRole('dialog').waitFor();
    await expectHarmless(tab, adminUrl);
  });

  it('in the address of the page stays text', async (context) => {
    const { adminUrl } = await startStage();
    const tab = await openDashboard(browser, context, adminUrl, `#/connections/${encodeURIComponent(HOSTILE)}`);
    await tab.page.getByText('There is no such connection any more').waitFor();
    await tab.page.goto(
      `${adminUrl}/dashboard#/connections?search=${encodeURIComponent(MARKUP)}&state=${encodeURIComponent(MARKUP)}`,
    );
    await tab.page.getByLabel('Search').waitFor();
    expect(await tab.page.getByLabel('Search').inputValue()).toBe(MARKUP);
    await expectHarmless(tab, adminUrl);
  });
});
