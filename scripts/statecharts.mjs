/**
 * Owns writing docs/statecharts from the charts that were built. Run `npm run build` first, then
 * `node scripts/statecharts.mjs`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { backendMachine } from '../dist/actors/backend.machine.js';
import { connectionMachine } from '../dist/actors/connection.machine.js';
import { poolMachine } from '../dist/actors/pool.machine.js';
import { supervisorMachine } from '../dist/actors/supervisor.machine.js';
import { upstreamMachine } from '../dist/actors/upstream.machine.js';
import { renderStatecharts } from './statecharts/render.mjs';

const folder = new URL('../docs/statecharts/', import.meta.url);
await mkdir(folder, { recursive: true });
const machines = [connectionMachine, upstreamMachine, supervisorMachine, backendMachine, poolMachine];
for (const [name, text] of await renderStatecharts(machines)) {
  await writeFile(new URL(name, folder), text);
  console.log(`docs/statecharts/${name}: ${Buffer.byteLength(text)} bytes`);
}
