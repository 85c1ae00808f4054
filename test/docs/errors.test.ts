/** Owns that the reference page of the errors is what the table says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderErrors } from '../../scripts/errors-reference.mjs';
import { ERRORS } from '../../src/receivers/errors.js';

const page = readFileSync(join(import.meta.dirname, '../../docs/reference/errors.md'), 'utf8');

it('docs/reference/errors.md is current; `npm run docs` writes it', () => {
  expect(page).toBe(renderErrors(ERRORS));
});

it('has a heading for every code, so that a code is an anchor', () => {
  const headings = [...page.matchAll(/^## ([A-Z_0-9]+)$/gm)].map((match) => match[1]);
  expect(headings).toEqual(Object.keys(ERRORS));
});
