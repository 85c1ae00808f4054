/** Owns that the reference page of the metrics is what the metrics say of themselves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderMetrics } from '../../scripts/metrics-reference.mjs';
import { FAMILIES } from '../../src/server/telemetry/metrics/families.js';

it('docs/reference/metrics.md is current; `npm run docs` writes it', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/reference/metrics.md'), 'utf8');
  expect(page).toBe(renderMetrics(FAMILIES));
});

it('every metric is named after the conventions of Prometheus, once', () => {
  const names = FAMILIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, type, help } of FAMILIES) {
    expect(name).toMatch(/^tidegate_[a-z_]+$/);
    expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
    expect(name).not.toMatch(/_(?:ms|milliseconds|kb|kilobytes)(?:_|$)/);
    if (type === 'histogram') expect(name).toMatch(/_seconds$/);
    expect(help).toMatch(/\.$/);
  }
});
