/** Owns that the reference page is what the definitions say. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderReference } from '../../../src/server/config/reference.js';

it('docs/reference/configuration.md is current; `npm run docs` writes it', () => {
  const page = readFileSync(new URL('../../../docs/reference/configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(renderReference());
});
