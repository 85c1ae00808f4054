/**
 * Owns the page of the dashboard as it is sent: the one file that `npm run build` makes of src/dashboard, and what a browser may do with
 * it. Refuses to know what the page shows.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describeError, TidegateError } from '../../receivers/index.js';

/** The built page; as far below the root of the package from src as from dist. */
const BUILT = new URL('../../../dist/dashboard/index.html', import.meta.url);

/** The page, and the fields that go with it. */
export interface DashboardPage {
  readonly html: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reads the page.
 *
 * @throws TidegateError `DASHBOARD_NOT_BUILT` where there is none.
 */
export function readDashboardPage(file: URL = BUILT): DashboardPage {
  let html: Buffer;
  try {
    html = readFileSync(file);
  } catch (error) {
    throw new TidegateError('DASHBOARD_NOT_BUILT', `the page of the dashboard cannot be read: ${describeError(error)}`);
  }
  return { html, headers: headersFor(html.toString()) };
}

function headersFor(html: string): Record<string, string> {
  const policy = {
    'default-src': "'none'",
    'script-src': hashesOf(html, 'script'),
    'style-src': hashesOf(html, 'style'),
    'connect-src': "'self'",
    'img-src': 'data:',
    'base-uri': "'none'",
    'form-action': "'none'",
    'frame-ancestors': "'none'",
    // No text becomes markup or code, whatever a script of the page does: not even its own may.
    'require-trusted-types-for': "'script'",
    'trusted-types': "'none'",
  };
  const directives = Object.entries(policy).map(([name, value]) => `${name} ${value}`);
  return {
    'Content-Security-Policy': directives.join('; '),
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

/** What stands in the elements of a name, each by its hash: nothing else of that kind is run or applied. */
function hashesOf(html: string, element: 'script' | 'style'): string {
  const found = [...html.matchAll(new RegExp(`<${element}[^>]*>([\\s\\S]*?)</${element}>`, 'g'))];
  if (found.length === 0) return "'none'";
  return found.map(([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
