/**
 * Owns that the dashboard shows in a real browser what real connections do, does to them what a person has agreed to, and can be used
 * on a phone, by keyboard alone, and by those who listen to it.
 */

import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AdminServer, ProxyServer } from '../../src/index.js';
import { Opcode } from '../../src/protocol/frame.js';
import { eventually } from '../support/events.js';
import { openClient } from '../support/for-one-test.js';
import { useChromium } from './chromium.js';
import { factOf, openDashboard, openPair, startBalancerStage, startStage } from './dashboard-stage.js';

const browser = useChromium();

/** A page looks once a second, and a busy machine draws it slowly. */
const SLOW = { timeout: 60_000 };

interface Node {
  readonly role: string;
  readonly name: string;
}

/** What those hear who cannot see: Chromium's accessibility tree, without what is passed over. */
async function heardOf(page: Page): Promise<Node[]> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes
    .filter(({ ignored }) => !ignored)
    .map(({ role, name }) => ({ role: String(role?.value), name: String(name?.value ?? '') }));
}

/** What does something, or stands for something, has to have a name. */
const NAMED = new Set([
  'button',
  'link',
  'searchbox',
  'textbox',
  'combobox',
  'img',
  'image',
  'table',
  'region',
  'dialog',
  'navigation',
  'search',
  'columnheader',
]);

describe('the dashboard', SLOW, () => {
  it('shows totals that move with the traffic, and asks nobody but its own server', async (context) => {
    const stage = await startStage();
    const { page, requests, complaints } = await openDashboard(browser, context, stage.adminUrl);
    const { client, peer } = await openPair(stage);
    await openPair(stage);
    const talk = setInterval(() => {
      client.sendText('from the client');
      peer.sendText('to the client');
      peer.sendText('twice');
    }, 20);
    onTestFinished(() => clearInterval(talk));
    await eventually(async () => (await factOf(page, 'Open')) === '2', 'two connections are shown');
    const isMoving = async (name: string) => /^[1-9][\d,.]*( B| KiB)?\/s$/.test(await factOf(page, name));
    for (const name of ['Messages from clients', 'Messages to clients', 'Bytes from clients', 'Bytes to clients']) {
      await eventually(() => isMoving(name), `${name} move`);
    }
    const plot = page.getByRole('img', { name: /To clients: now [1-9]/ });
    await plot.first().waitFor();
    expect(await page.locator('.uplot canvas').count()).toBe(6);
    expect(page.url()).toBe(`${stage.adminUrl}/dashboard`);
    expect(new Set(requests.map((url) => new URL(url).origin))).toEqual(new Set([stage.adminUrl]));
    expect(complaints).toEqual([]);
  });

  it('leads from a state to its connections and to one of them, whose chart follows, and closes it after asking', async (context) => {
    const stage = await startStage();
    const { client } = await openPair(stage, '/one');
    await openPair(stage, '/two');
    await openPair(stage, '/three');
    const { page, complaints } = await openDashboard(browser, context, stage.adminUrl, '#/charts');
    const count = page.getByRole('link', { name: 'connection.open.inbound.reading: 3 connections' });
    await count.waitFor();
    await page.getByRole('link', { name: 'upstream.open.outbound.flowing: 3 connections' }).waitFor();
    await page.locator('[data-state="upstream.open"] > .name').click();
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
    expect(await page.getByLabel('State').inputValue()).toBe('upstream.open');
    await page.goBack();
    await count.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
    expect(page.url()).toContain('#/connections?state=connection.open.inbound.reading');
    expect(await page.getByLabel('State').inputValue()).toBe('connection.open.inbound.reading');
    const row = page.getByRole('row').filter({ hasText: '/one' });
    const id = await row.getByRole('rowheader').innerText();
    await row.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: `Connection ${id}` }).waitFor();
    await page.locator('[data-state="connection.open.inbound.reading"].active').waitFor();
    await page.locator('[data-state="upstream.open.outbound.flowing"].active').waitFor();
    stage.proxy.connection(id)!.pause();
    await page.locator('[data-state="connection.open.inbound.paused"].active').waitFor();
    await page.getByText('Now: open: flowing, paused, suspended').waitFor();
    expect(await page.locator('[data-state="connection.open.inbound.reading"].active').count()).toBe(0);
    stage.proxy.connection(id)!.resume();
    await page.locator('[data-state="connection.open.inbound.reading"].active').waitFor();
    await page.getByRole('row').filter({ hasText: 'read.resume' }).waitFor();

    const close = page.getByRole('button', { name: 'Close', exact: true });
    await close.click();
    const dialog = page.getByRole('dialog', { name: `Close ${id}?` });
    await dialog.getByText('it gets a Close frame').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(stage.proxy.connection(id)!.state).toBe('open');
    expect(await close.evaluate((button) => button.matches(':focus'))).toBe(true);
    await close.click();
    await dialog.getByLabel('Code').fill('1001');
    await dialog.getByLabel('Reason').fill('seen enough');
    await dialog.getByRole('button', { name: 'Close the connection' }).click();
    expect(await client.expectClose()).toMatchObject({ code: 1001, reason: 'seen enough' });
    client.sendClose(1001);
    await page.getByText('This connection is over.').waitFor();
    expect([await factOf(page, 'Ended by'), await factOf(page, 'Code sent')]).toEqual(['operator', '1001']);
    await page.locator('[data-state="connection.closed"].active').waitFor();
    expect(await close.isDisabled()).toBe(true);
    expect(complaints).toEqual([]);
  });

  it('pings, throttles and terminates a connection after asking, and says what was wrong with a rate', async (context) => {
    const stage = await startStage();
    const { client } = await openPair(stage);
    const { id } = stage.proxy.connections[0]!;
    const { page, complaints } = await openDashboard(browser, context, stage.adminUrl, `#/connections/${id}`);
    const told = (text: string | RegExp) => page.getByRole('status').filter({ hasText: text }).waitFor();
    const press = async (name: string) => {
      await page.getByRole('button', { name, exact: true }).click();
      return page.getByRole('dialog', { name: `${name} ${id}?` });
    };
    const ping = await press('Ping');
    await ping.getByText('Nothing else happens').waitFor();
    await ping.getByRole('button', { name: 'Send a ping' }).click();
    expect((await client.nextFrame()).opcode).toBe(Opcode.Ping);
    await told(`A ping was sent to ${id}.`);

    const throttle = await press('Throttle');
    await throttle.getByLabel('To the client').fill('quickly');
    await throttle.getByRole('button', { name: 'Set the rates' }).click();
    await told(/That did not work: .*"quickly"/);
    await (await press('Throttle')).getByLabel('To the client').fill('8kbit');
    await throttle.getByRole('button', { name: 'Set the rates' }).click();
    await told(`${id} has its rates.`);
    // 64 KiB at 8 kbit/s take a minute: what is not written yet waits here.
    stage.proxy.connection(id)!.send(Buffer.alloc(65_536));
    expect(stage.proxy.connection(id)!.bufferedBytes).toBeGreaterThan(32_768);

    const terminate = await press('Terminate');
    await terminate.getByText('without a Close frame').waitFor();
    await terminate.getByRole('button', { name: 'Cancel' }).click();
    await terminate.waitFor({ state: 'detached' });
    expect(stage.proxy.connection(id)!.state).toBe('open');
    await (await press('Terminate')).getByRole('button', { name: 'Terminate the connection' }).click();
    await page.getByText('This connection is over.').waitFor();
    expect(await factOf(page, 'Ended by')).toBe('operator');
    expect(complaints).toEqual([]);
  });

  it('shows one of several servers, the chosen one, and stays with it', async (context) => {
    const one = await startStage({ admin: undefined });
    const two = await startStage({ admin: undefined });
    const admin = new AdminServer({ listen: '127.0.0.1:0', servers: { chat: one.proxy, feed: two.proxy } });
    onTestFinished(() => admin.close());
    await admin.start();
    await openPair(two, '/only');
    const { page, complaints } = await openDashboard(browser, context, admin.url!);
    await eventually(async () => (await factOf(page, 'Open')) === '0', 'the first server is shown');
    const choice = page.getByRole('combobox', { name: 'Server' });
    await choice.selectOption('feed');
    await eventually(async () => (await factOf(page, 'Open')) === '1', 'the other one is shown');
    await page.getByText(`ws://127.0.0.1:${two.port}`).waitFor();
    await page.getByRole('link', { name: 'Connections' }).click();
    await page.getByRole('row').filter({ hasText: '/only' }).waitFor();
    await page.reload();
    await page.getByRole('row').filter({ hasText: '/only' }).waitFor();
    expect(await choice.inputValue()).toBe('feed');
    expect(complaints).toEqual([]);
  });

  it('asks for the token, takes no other one, and keeps it in the tab until it is forgotten', async (context) => {
    const stage = await startStage({ admin: { listen: '127.0.0.1:0', token: 'a-token-for-the-test' } });
    await openPair(stage);
    const { page } = await openDashboard(browser, context, stage.adminUrl);
    const dialog = page.getByRole('dialog', { name: 'This server asks for its token' });
    await dialog.getByLabel('Token').fill('another');
    await page.keyboard.press('Enter');
    await dialog.getByText('The token was another one').waitFor();
    await page.keyboard.press('Escape');
    expect(await dialog.isVisible()).toBe(true);
    await dialog.getByLabel('Token').fill('a-token-for-the-test');
    await dialog.getByRole('button', { name: 'Look' }).click();
    await eventually(async () => (await factOf(page, 'Open')) === '1', 'the connection is shown');
    await page.reload();
    await eventually(async () => (await factOf(page, 'Open')) === '1', 'the token is still there');
    expect(page.url()).not.toContain('token');
    await page.getByRole('button', { name: 'Forget token' }).click();
    await dialog.waitFor();
  });

  it('says that the server is gone, asks less and less often, and goes on when it is back', async (context) => {
    const { proxy, adminUrl } = await startStage();
    const { page } = await openDashboard(browser, context, adminUrl);
    await eventually(async () => (await factOf(page, 'Open')) === '0', 'the server is shown');
    await proxy.stop({ drainTimeout: 0 });
    await page.getByText(/The server does not answer\. What is shown is old\. The next attempt is in \d/).waitFor();
    const second = new ProxyServer({
      listen: '127.0.0.1:0',
      target: 'ws://127.0.0.1:9',
      admin: { listen: new URL(adminUrl).host },
    });
    onTestFinished(() => second.stop({ drainTimeout: 0 }));
    await second.start();
    await page.getByRole('status').filter({ hasText: 'The server answers again.' }).waitFor();
    expect(await page.getByText('The server does not answer.').isVisible()).toBe(false);
  });

  it('asks nothing while its tab is hidden, or its updates are paused', async (context) => {
    const { adminUrl } = await startStage();
    const { page, requests } = await openDashboard(browser, context, adminUrl, '', { clock: true });
    await eventually(async () => (await factOf(page, 'Open')) === '0', 'the server is shown');
    const show = (hidden: boolean) =>
      page.locator('body').evaluate((body, value) => {
        Object.defineProperty(body.ownerDocument, 'hidden', { configurable: true, value });
        body.ownerDocument.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await show(true);
    const whenHidden = requests.length;
    await page.clock.runFor(60_000);
    expect(requests.length).toBe(whenHidden);
    await show(false);
    await eventually(() => requests.length > whenHidden, 'it asks again');
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await page.getByText('Updates are paused.').waitFor();
    const whenPaused = requests.length;
    await page.clock.runFor(60_000);
    expect(requests.length).toBe(whenPaused);
  });

  it('drains a backend and puts it back, after asking', async (context) => {
    const { balancer, adminUrl } = await startBalancerStage('one', 'two');
    const { page, complaints } = await openDashboard(browser, context, adminUrl);
    await page.getByRole('link', { name: 'Backends' }).click();
    await page.getByRole('button', { name: 'Drain two' }).click();
    const dialog = page.getByRole('dialog', { name: 'Drain two?' });
    await dialog.getByText('It gets no new clients').waitFor();
    await dialog.getByRole('button', { name: 'Drain the backend' }).click();
    await page.getByRole('row', { name: /^two draining/ }).waitFor();
    expect(balancer.backends().map(({ state }) => state)).toEqual(['ready', 'draining']);
    expect(await factOf(page, 'Available')).toBe('1');
    await page.getByRole('button', { name: 'Resume two' }).click();
    await page.getByRole('button', { name: 'Resume the backend' }).click();
    await page.getByRole('row', { name: /^two ready/ }).waitFor();
    await page.getByRole('link', { name: 'Statecharts' }).click();
    await page.getByRole('link', { name: 'backend.ready.health.healthy: 2 backends' }).click();
    await page.getByText('In the state backend.ready.health.healthy only.').waitFor();
    await page.getByRole('row', { name: /^one ready/ }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('everybody', SLOW, () => {
  it('has a page that fits a phone, and names everything that does or stands for something, on every view', async (context) => {
    const { port, adminUrl } = await startBalancerStage('one');
    await openClient({ port });
    const { page } = await openDashboard(browser, context, adminUrl);
    await page.setViewportSize({ width: 360, height: 740 });
    const id = 'conn-1';
    const views: readonly (readonly [place: string, heading: string, landmark: string])[] = [
      ['#/', 'Overview', 'figure'],
      ['#/charts', 'Statecharts', 'region'],
      ['#/connections', 'Connections', 'search'],
      [`#/connections/${id}`, `Connection ${id}`, 'region'],
      ['#/backends', 'Backends', 'table'],
    ];
    for (const [place, heading, landmark] of views) {
      await page.goto(`${adminUrl}/dashboard${place}`);
      await page.getByRole('heading', { level: 1, name: heading }).waitFor();
      await page.locator('dd', { hasText: 'running' }).waitFor();
      const heard = await heardOf(page);
      const roles = heard.map(({ role }) => role);
      expect(roles).toEqual(expect.arrayContaining(['banner', 'navigation', 'main', 'heading', landmark]));
      expect(heard.filter(({ role, name }) => NAMED.has(role) && name.trim() === '')).toEqual([]);
      expect(await page.title()).toBe(`${heading} · Tidegate`);
      const widths = await page.locator('html').evaluate((root) => [root.scrollWidth, root.clientWidth]);
      expect(widths).toEqual([360, 360]);
    }
  });

  it('can use it by keyboard alone: past the head, to a list, into a dialog that keeps the focus, and out of it', async (context) => {
    const stage = await startStage();
    await openPair(stage);
    const { page } = await openDashboard(browser, context, stage.adminUrl);
    await page.locator('dd', { hasText: 'running' }).waitFor();
    const focused = () => page.locator(':focus').evaluate((element) => (element.textContent ?? '').trim());
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to content');
    const outline = await page
      .locator(':focus')
      .evaluate((element) => element.ownerDocument.defaultView?.getComputedStyle(element).outlineStyle);
    expect(outline).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('Overview');
    for (let presses = 0; (await focused()) !== 'Connections' && presses < 10; presses += 1) {
      await page.keyboard.press('Shift+Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Connections' }).waitFor();
    expect(await focused()).toBe('Connections');
    await page.getByRole('rowheader').getByRole('link').waitFor();
    for (let presses = 0; !(await focused()).startsWith('conn-') && presses < 20; presses += 1) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: /^Connection conn-/ }).waitFor();
    await page.locator('dl dd', { hasText: 'open: flowing' }).first().waitFor();
    for (let presses = 0; (await focused()) !== 'Terminate' && presses < 10; presses += 1) {
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    // What harms is not under the first key that is pressed.
    expect(await focused()).toBe('Cancel');
    const places = new Set<string>();
    for (let presses = 0; presses < 6; presses += 1) {
      await page.keyboard.press('Tab');
      places.add(await page.locator(':focus').evaluateAll((found) => found[0]?.textContent?.trim() ?? 'the browser'));
    }
    expect([...places].filter((place) => !/^(Cancel|Terminate the connection|the browser)$/.test(place))).toEqual([]);
    await page.keyboard.press('Escape');
    expect(await focused()).toBe('Terminate');
    expect(stage.proxy.snapshot().connections).toHaveLength(1);
  });
});
