/** Owns that `tidegate/client` is small, stands alone, and has types where there is no Node.js. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { minifySync, transformSync } from 'rolldown/utils';
import { expect, it, onTestFinished } from 'vitest';

const path = fileURLToPath(new URL('../../../src/client/reconnecting-web-socket.ts', import.meta.url));

it('is smaller than 2 KB when it is minified, and imports nothing', () => {
  const { code } = transformSync('client.ts', readFileSync(path, 'utf8'), { target: 'es2022' });
  const minified = minifySync('client.js', code, { module: true, mangle: { toplevel: true } }).code;
  expect(minified).not.toMatch(/\bimport\b/);
  expect(Buffer.byteLength(minified)).toBeLessThan(2048);
});

const PAGE = `
import { ReconnectingWebSocket, urlFrom } from ${JSON.stringify(path.replace(/\.ts$/, '.js'))};
const socket = new ReconnectingWebSocket(urlFrom('/where', { credentials: 'include' }), { WebSocket, protocols: ['chat'] });
socket.addEventListener('close', (event) => {
  if (event.code === 4401) event.retryIn = undefined;
});
socket.addEventListener('message', ({ data }) => console.log(data));
socket.send('text') && socket.send(new Blob(['x'])) && socket.send(new Uint8Array(1));
// @ts-expect-error no such event
socket.addEventListener('closed', () => {});
`;

it('has types that a page can use, which knows nothing of Node.js', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const page = join(folder, 'page.ts');
  writeFileSync(page, PAGE);
  const tsc = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url));
  const options = '--noEmit --ignoreConfig --strict --target es2022 --module nodenext --lib es2022,dom --types'.split(
    ' ',
  );
  const run = () => execFileSync(process.execPath, [tsc, ...options, '', page], { encoding: 'utf8', stdio: 'pipe' });
  expect(run()).toBe('');
});
