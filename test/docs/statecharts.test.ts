/** Owns that the pictures in docs/statecharts show the charts of today. Refuses to judge how they look. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { getStateNodes } from 'xstate/graph';
import { renderStatecharts } from '../../scripts/statecharts/render.mjs';
import { backendMachine } from '../../src/actors/backend.machine.js';
import { connectionMachine } from '../../src/actors/connection.machine.js';
import { poolMachine } from '../../src/actors/pool.machine.js';
import { supervisorMachine } from '../../src/actors/supervisor.machine.js';
import { upstreamMachine } from '../../src/actors/upstream.machine.js';

const FOLDER = join(import.meta.dirname, '../../docs/statecharts');
const STALE = 'run `npm run docs`, look at the pictures and commit them';

const machines: readonly AnyStateMachine[] = [
  connectionMachine,
  upstreamMachine,
  supervisorMachine,
  backendMachine,
  poolMachine,
];
const names = machines.flatMap(({ id }) => [`${id}.mmd`, `${id}.svg`]);

describe('docs/statecharts', () => {
  let rendered: Map<string, string>;
  beforeAll(async () => {
    rendered = await renderStatecharts(machines);
  });

  it.each(names)('holds %s as the chart of today draws it, byte for byte', (name) => {
    expect(readFileSync(join(FOLDER, name), 'utf8') === rendered.get(name), `${name} is stale: ${STALE}`).toBe(true);
  });

  it('holds no picture of a chart that is gone', () => {
    const pictures = readdirSync(FOLDER).filter((name) => name !== 'README.md');
    expect(pictures.sort()).toEqual([...names].sort());
  });

  it('draws the same bytes a second time', async () => {
    expect(await renderStatecharts(machines)).toEqual(rendered);
  });

  it.each(machines.map(({ id }, index) => [id, index] as const))(
    'gives every state of %s a group of its own, by its id',
    (id, index) => {
      const machine = machines[index]!;
      const picture = rendered.get(`${id}.svg`) ?? '';
      const drawn = [...picture.matchAll(/<g id="([^"]+)" class="state /g)].map((match) => match[1]);
      const states = [machine.root, ...getStateNodes(machine.root)].map((node) => node.id);
      expect(drawn.sort()).toEqual(states.sort());
    },
  );

  it.each(machines.map(({ id }, index) => [id, index] as const))('names every event of %s in its text', (id, index) => {
    const text = rendered.get(`${id}.mmd`) ?? '';
    const events = machines[index]!.events.filter((event) => !/^xstate\.(after|done)\./.test(event));
    expect(events.filter((event) => !text.includes(event))).toEqual([]);
  });

  it('keeps every picture small enough to embed in a page', () => {
    for (const [name, text] of rendered) expect(text.length, name).toBeLessThan(20_000);
  });
});
