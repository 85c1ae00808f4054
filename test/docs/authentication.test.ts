/** Owns that every configuration in the guide to authentication can be used as it stands. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { checkConfig } from '../../src/index.js';
import { localhostCertificate } from '../support/tls.js';

const page = readFileSync(new URL('../../docs/guide/authentication.md', import.meta.url), 'utf8');
const samples = [...page.matchAll(/^## (.*)\n[\s\S]*?^```yaml\n([\s\S]*?)^```$/gm)].map(([, title, yaml]) => ({
  title,
  yaml,
}));

it('has a configuration for each case', () => {
  expect(samples.length).toBeGreaterThanOrEqual(8);
});

it.each(samples)('$title', async ({ yaml = '' }) => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-guide-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of ['login.pem', 'issuer.pem', 'app.pem', 'clients.pem'])
    writeFileSync(join(folder, name), localhostCertificate.cert);
  writeFileSync(join(folder, 'app.key'), localhostCertificate.key);
  writeFileSync(join(folder, 'tidegate.yaml'), yaml);
  expect(await checkConfig(join(folder, 'tidegate.yaml'))).toEqual([]);
});
