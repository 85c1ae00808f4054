/**
 * Owns regenerating the pages and pictures of docs/ that come from code. Run it after a build: `npm run docs` does both.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { renderReference } from '../dist/server/config/reference.js';

const folder = new URL('../docs/reference/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('configuration.md', folder), renderReference());
console.log('wrote docs/reference/configuration.md');

await import('./statecharts.mjs');
