/**
 * Owns writing docs/statecharts from the charts that were built. Run `npm run build` first, then
 * `node scripts/statecharts.mjs`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { connectionMachine } from '../dist/actors/connection.machine.js';
import { supervisorMachine } from '../dist/actors/supervisor.machine.js';
import { upstreamMachine } from '../dist/actors/upstream.machine.js';
import { renderStatecharts } from './statecharts/render.mjs';

const folder = new URL('../docs/statecharts/', import.meta.url);
await mkdir(folder, { recursive: true });
for (const [name, text] of await renderStatecharts([connectionMachine, upstreamMachine, supervisorMachine])) {
  await writeFile(new URL(name, folder), text);
  console.log(`docs/statecharts/${name}: ${Buffer.byteLength(text)} bytes`);
}
