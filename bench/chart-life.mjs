/**
 * Owns what the life of a `connection` and an `upstream` chart costs, interpreted by XState and run from the table, with effects that
 * do nothing: `node bench/chart-life.mjs`. Needs the build.
 */
import { createActor } from 'xstate';
import { ChartActor } from '../dist/actors/chart-actor.js';
import { compileChart } from '../dist/actors/compiled-chart.js';
import { connectionMachine } from '../dist/actors/connection.machine.js';
import { countingInspectors } from '../dist/actors/inspectors.js';
import { supervisorMachine } from '../dist/actors/supervisor.machine.js';
import { upstreamMachine } from '../dist/actors/upstream.machine.js';

const LIVES = 10_000;
const ENDING = { initiator: 'downstream', cause: 'closed', code: 1000, reason: '' };
const TIMEOUTS = { handshake: 10_000, dial: 5000, close: 10_000, writeStall: 60_000, drain: 1000 };

/** Answers every effect with nothing. */
const port = new Proxy({ id: 'sample', timeouts: TIMEOUTS }, { get: (known, name) => known[name] ?? (() => {}) });

/** An open pair whose client closes politely. */
function live({ connection, upstream }, make, parent, number) {
  const one = make(connection, `conn-${number}`, parent).start();
  one.send({ type: 'decision.accept', dial: 'before-accept' });
  const other = make(upstream, `upstream-${number}`, parent).start();
  other.send({ type: 'dial.succeeded' });
  one.send({ type: 'upstream.ready' });
  one.send({ type: 'peer.closed', ending: ENDING });
  other.send({ type: 'close.request', ending: ENDING });
  other.send({ type: 'peer.closed', ending: ENDING });
  one.send({ type: 'close.request', ending: ENDING });
  other.send({ type: 'transport.closed', ending: ENDING });
  one.send({ type: 'transport.closed', ending: ENDING });
  if (one.getSnapshot().status !== 'done' || other.getSnapshot().status !== 'done') throw new Error('it lives on');
}

function measure(name, charts, make) {
  const parent = countingInspectors(createActor(charts.supervisor, { input: { port } })).start();
  parent.send({ type: 'listeners.bound' });
  for (let number = 0; number < LIVES; number += 1) live(charts, make, parent, number);
  const before = process.cpuUsage();
  for (let number = 0; number < LIVES; number += 1) live(charts, make, parent, number);
  const { user, system } = process.cpuUsage(before);
  console.log(`${((user + system) / LIVES).toFixed(1).padStart(7)} us  ${name}`);
}

const machines = { connection: connectionMachine, upstream: upstreamMachine, supervisor: supervisorMachine };
measure('interpreted by XState', machines, (machine, id, parent) =>
  createActor(machine, { id, input: { port }, parent }),
);
measure(
  'from the table',
  Object.fromEntries(Object.entries(machines).map(([name, machine]) => [name, compileChart(machine)])),
  (chart, _id, parent) => new ChartActor(chart, port, parent),
);
