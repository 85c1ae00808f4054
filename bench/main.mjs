/** Owns a run of the benchmark from its options to its report. See README.md beside it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../scripts/workspace.mjs';
import { Bench } from './bench.mjs';
import { Fleet } from './fleet.mjs';
import { buildGenerator, Generator } from './generator.mjs';
import { judge } from './goals.mjs';
import { parts } from './parts.mjs';
import { allKinds } from './peers.mjs';
import { terminalText, write } from './report.mjs';
import { selfTimes } from './self-time.mjs';
import { readSettings, USAGE } from './settings.mjs';

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}

async function main() {
  const settings = readSettings(process.argv.slice(2));
  if (settings.help) {
    console.log(USAGE);
    return 0;
  }
  if (process.platform !== 'linux') throw new Error('the load generator uses epoll, so it needs Linux');
  for (const tool of ['taskset', 'timeout']) {
    if (spawnSync(tool, ['--version']).error) throw new Error(`${tool} is missing (Debian: util-linux, coreutils)`);
  }
  const code = await build();
  if (code !== 0) return code;
  buildGenerator();

  const begun = performance.now();
  const profiles = settings.profile ? mkdtempSync(join(tmpdir(), 'tidegate-profiles-')) : undefined;
  const kinds = wanted(allKinds({ io: settings.io, against: settings.against, profile: profiles }), settings);
  const found = kinds.map((kind) => ({ kind, ...kind.find() }));
  const machine = describeMachine();
  const generator = await Generator.start(['taskset', '-c', String(machine.loadCore)]);
  const fleet = new Fleet(generator, ['taskset', '-c', String(machine.proxyCore)]);
  const stopOnSignal = onSignals(fleet, generator);
  const results = {};
  let disturbance;
  try {
    const present = found.filter(({ missing }) => missing === undefined).map(({ kind }) => kind);
    const bench = new Bench(generator, fleet, settings, present, [machine.proxyCore, machine.loadCore]);
    for (const name of settings.parts) {
      // On stderr, so that --json stays JSON.
      console.error(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${name}`);
      results[name] = await parts[name](bench);
    }
    disturbance = bench.disturbance;
  } finally {
    await fleet.stopAll();
    generator.stop();
    stopOnSignal();
  }
  const run = {
    about: {
      quick: settings.quick,
      date: new Date().toISOString().slice(0, 10),
      machine,
      disturbance,
      settings,
      kinds: found.map(({ kind: { name, side }, version, missing }) => {
        return { name, side, version, missing, ...fleet.commands.get(name) };
      }),
    },
    parts: results,
    goals: judge(results),
    seconds: (performance.now() - begun) / 1000,
  };
  console.log(settings.json ? JSON.stringify(run, null, 1) : terminalText(run));
  if (profiles !== undefined) printProfiles(profiles, found);
  if (settings.write) write(run);
  return 0;
}

/** What the options ask for. A name that is nowhere is a mistake, not an empty run. */
function wanted(kinds, { only, peers }) {
  const plain = (name) => name.replace('*', '');
  for (const [option, names, side] of [
    ['--only', only, kinds.filter((kind) => kind.side === 'ours')],
    ['--peers', peers, kinds.filter((kind) => kind.side !== 'ours')],
  ]) {
    const known = new Set(side.map(({ name }) => plain(name)));
    const wrong = names?.find((name) => !known.has(name));
    if (wrong !== undefined) throw new Error(`${option}: there is no "${wrong}"; there are ${[...known].join(', ')}`);
  }
  return kinds.filter(({ name, side }) => (side === 'ours' ? only : peers)?.includes(plain(name)) ?? true);
}

function describeMachine() {
  const cores = availableParallelism();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores,
    kernel: release(),
    node: process.version,
    proxyCore: 0,
    // With one core the figures are still right per CPU-second, and the generator marks itself as the limit.
    loadCore: cores > 1 ? 1 : 0,
  };
}

function onSignals(fleet, generator) {
  let stopping = false;
  const stop = async (signal) => {
    // A terminal and npm may both pass on the same Ctrl-C; a second one must not cut short what the first began.
    if (stopping) return;
    stopping = true;
    generator.stop();
    await fleet.stopAll();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return () => process.off('SIGINT', stop).off('SIGTERM', stop);
}

function printProfiles(folder, found) {
  for (const { kind } of found) {
    const file = join(folder, `${kind.name}.cpuprofile`);
    if (!existsSync(file)) continue;
    const { functions, modules } = selfTimes(file, 25);
    console.log(`\n${kind.name}: own time (${file})`);
    for (const { share, name } of modules) console.log(`  ${share.toFixed(1).padStart(5)} %  ${name}`);
    console.log('');
    for (const { share, name } of functions) console.log(`  ${share.toFixed(1).padStart(5)} %  ${name}`);
  }
  console.log(`\nThe profiles are in ${folder}; a browser's developer tools open them.`);
}
