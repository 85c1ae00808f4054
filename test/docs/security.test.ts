/** Owns that what the guide to security says of options is so: its configuration can be used, and its defaults are those. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../../src/index.js';
import { proxyOptionsSchema } from '../../src/server/config/options.js';
import { walkOptions } from '../../src/server/config/walk.js';
import { localhostCertificate } from '../support/tls.js';

const page = readFileSync(new URL('../../docs/guide/security.md', import.meta.url), 'utf8');

const samples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, yaml = '']) => yaml);

it('has a configuration for the Internet that says who may connect', () => {
  expect(samples.length).toBeGreaterThanOrEqual(2);
  expect(samples[0]).toContain('authentication:');
});

it.each(samples.map((yaml) => [yaml]))('configuration %# can be used as it stands', async (yaml) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-security-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['fullchain.pem', 'issuer.pem']) writeFileSync(join(folder, name), localhostCertificate.cert);
  writeFileSync(join(folder, 'privkey.pem'), localhostCertificate.key);
  const file = join(folder, 'tidegate.yaml');
  writeFileSync(file, yaml);
  expect(await checkConfig(file)).toEqual([]);
});

it('the defaults in its table are those of the options', () => {
  const table = page.slice(page.indexOf('\n## Defaults\n'));
  const said = [...table.matchAll(/^\| `([^`]+)` \| `([^`]+)` \|/gm)].map(([, path, value]) => [path, value]);
  const defaults = new Map(walkOptions(proxyOptionsSchema).map((option) => [option.path, shown(option.default)]));
  expect(said.length).toBeGreaterThan(40);
  expect(said).toEqual(said.map(([path]) => [path, defaults.get(path!)]));
});

function shown(value: unknown): string {
  return Array.isArray(value) && value.length > 0 ? value.join(', ') : Array.isArray(value) ? '[]' : String(value);
}
