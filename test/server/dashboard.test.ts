/** Owns how the page of the dashboard is served: to whom, with which rules for browsers, and what is said where it was not built. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readDashboardPage } from '../../src/server/dashboard/dashboard-page.js';
import { startProxy } from './stage.js';

const TOKEN = 'a-token-for-the-test';

async function startAdmin(): Promise<string> {
  const { server } = await startProxy({ target: 'ws://127.0.0.1:9', admin: { listen: '127.0.0.1:0', token: TOKEN } });
  return server.adminUrl!;
}

describe('the page of the dashboard', () => {
  it('is where the root leads to, and needs no token, since it tells nothing', async () => {
    const url = await startAdmin();
    const root = await fetch(url, { redirect: 'manual' });
    expect([root.status, root.headers.get('location')]).toEqual([302, '/dashboard']);
    const page = await fetch(`${url}/dashboard`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const html = await page.text();
    expect(html).toContain('<title>Tidegate</title>');
    expect(html).not.toContain(TOKEN);
    const api = await fetch(`${url}/api/v1/stats`);
    expect(api.status).toBe(401);
  });

  it('runs its own script and style only, by their hashes, and stands in no frame', async () => {
    const page = await fetch(`${await startAdmin()}/dashboard`);
    const html = await page.text();
    const policy = Object.fromEntries(
      page.headers
        .get('content-security-policy')!
        .split('; ')
        .map((directive) => directive.split(/ (.*)/s, 2)),
    );
    const hashOf = (name: string) => {
      const text = new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(html)![1]!;
      return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    };
    expect(policy).toEqual({
      'default-src': "'none'",
      'script-src': hashOf('script'),
      'style-src': hashOf('style'),
      'connect-src': "'self'",
      'img-src': 'data:',
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
      'trusted-types': "'none'",
    });
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is one file: nothing in it is loaded from elsewhere', async () => {
    const html = readDashboardPage().html.toString();
    expect(html.match(/<(script|link|img|iframe)\b[^>]*\b(src|href)=(?!"data:)/g)).toBe(null);
    expect(html.match(/@import|url\((?!#)/g)).toBe(null);
    expect(html.match(/<script/g)).toHaveLength(1);
  });

  it('is said to be missing where it was not built', () => {
    const missing = new URL('file:///nowhere/index.html');
    expect(() => readDashboardPage(missing)).toThrow(
      expect.objectContaining({ code: 'DASHBOARD_NOT_BUILT', help: expect.stringContaining('npm run build') }),
    );
  });
});
