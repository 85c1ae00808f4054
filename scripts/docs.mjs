/**
 * Owns regenerating the pages and pictures of docs/ that come from code. Run it after a build: `npm run docs` does both.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ERRORS } from '../dist/receivers/errors.js';
import { renderReference } from '../dist/server/config/reference.js';
import { FAMILIES } from '../dist/server/telemetry/metrics/families.js';
import { renderErrors } from './errors-reference.mjs';
import { renderMetrics } from './metrics-reference.mjs';

const folder = new URL('../docs/reference/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('configuration.md', folder), renderReference());
console.log('wrote docs/reference/configuration.md');
writeFileSync(new URL('errors.md', folder), renderErrors(ERRORS));
console.log('wrote docs/reference/errors.md');

writeFileSync(new URL('metrics.md', folder), renderMetrics(FAMILIES));
console.log('wrote docs/reference/metrics.md');

await import('./statecharts.mjs');

const readme = new URL('../README.md', import.meta.url);
const chart = readFileSync(new URL('../docs/statecharts/connection.mmd', import.meta.url), 'utf8');
const marked = /(<!-- chart: .* -->\n)[\s\S]*(<!-- \/chart -->)/;
writeFileSync(
  readme,
  readFileSync(readme, 'utf8').replace(marked, (_, begin, end) => `${begin}\n\`\`\`mermaid\n${chart}\`\`\`\n\n${end}`),
);
console.log('wrote the chart of README.md');
