/**
 * Owns the benchmark of attacks: what users of a server feel of them, beside what the same attack costs on the same cores when
 * it goes to somebody else. `npm run bench:attacks`; see README.md.
 */
import { mkdtempSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../scripts/workspace.mjs';
import { ATTACKS } from './attacks/attacks.mjs';
import { Child } from './attacks/child.mjs';
import { tables } from './attacks/tables.mjs';
import { busySeconds, cpuOf } from './process-tree.mjs';
import { selfTimes } from './self-time.mjs';

const USAGE = `Usage: npm run bench:attacks -- [options]
  --only <names>     of ${Object.keys(ATTACKS).join(',')}
  --ms <n>           how long each attack lasts; default 5000
  --io <layer>       portable or fast; default fast
  --limits           with the limits of an operator who knows his clients, and not only the defaults
  --dist <folder>    another build
  --profile          a CPU profile of the server under each attack, and where its own time went
  --json             prints JSON instead of tables`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    ms: { type: 'string', default: '5000' },
    io: { type: 'string', default: 'fast' },
    limits: { type: 'boolean', default: false },
    dist: { type: 'string' },
    profile: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** A bounded attack: nothing here is meant to run for long. */
const MAX_MS = 60_000;
/** Until an attack is at its height. */
const WARM_UP = 500;
/** What an attacker may live longer than it is measured. */
const SPARE = 5000;
const PROXY_CORE = 0;
const OTHER_CORE = availableParallelism() > 1 ? 1 : 0;

if (values.help) {
  console.log(USAGE);
} else {
  try {
    await main();
  } catch (error) {
    console.error(`bench: ${error.message}`);
    process.exitCode = 1;
  }
}

async function main() {
  const ms = Number(values.ms);
  if (!(ms >= 500 && ms <= MAX_MS)) throw new Error(`--ms: expected 500 to ${MAX_MS}, got "${values.ms}"`);
  const names = values.only?.split(',') ?? Object.keys(ATTACKS);
  const wrong = names.find((name) => ATTACKS[name] === undefined);
  if (wrong !== undefined)
    throw new Error(`--only: there is no "${wrong}"; there are ${Object.keys(ATTACKS).join(', ')}`);
  const dist = resolve(values.dist ?? fileURLToPath(new URL('../dist', import.meta.url)));
  if (values.dist === undefined && (await build()) !== 0) return;
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-attacks-'));
  const rows = [];
  for (const name of names) {
    console.error(`      ${name}`);
    rows.push(await measure(name, { ms, dist, folder }));
  }
  console.log(values.json ? JSON.stringify(rows, null, 1) : tables(rows));
  if (values.profile) printProfiles(rows, folder);
}

/** One attack, on servers of its own: idle, against the server, and against the sink. */
async function measure(name, { ms, dist, folder }) {
  const { compression = false } = ATTACKS[name];
  const started = [];
  const start = async (...how) => {
    const one = await Child.start(...how);
    started.push(one);
    return one;
  };
  try {
    const echo = await start(OTHER_CORE, 'target.mjs', ['echo']);
    const other = await start(OTHER_CORE, 'target.mjs', ['other'], { nice: 10 });
    const sink = await start(PROXY_CORE, 'target.mjs', ['sink']);
    const args = ['--echo', String(echo.port), '--other', String(other.port), '--dist', dist];
    if (values.limits) args.push('--limits');
    const profile = values.profile
      ? ['--cpu-prof', `--cpu-prof-name=${name}.cpuprofile`, `--cpu-prof-dir=${folder}`]
      : [];
    const env = { TIDEGATE_IO: values.io };
    const proxy = await start(PROXY_CORE, 'proxy.mjs', compression ? [...args, '--compression'] : args, {
      node: profile,
      env,
    });
    const client = await start(OTHER_CORE, 'client.mjs', [String(proxy.port)]);
    await sleep(1000);

    const phase = async (victim) => {
      await client.ask();
      await proxy.ask();
      const attacker =
        victim === undefined
          ? undefined
          : await start(OTHER_CORE, 'attacker.mjs', [name, String(victim.port), String(ms + SPARE)], { nice: 10 });
      if (attacker !== undefined) await sleep(WARM_UP);
      await client.ask();
      const counted = attacker === undefined ? undefined : await attacker.ask();
      const memory = proxy.peak();
      const before = { cpu: cpuOf(proxy.pid), at: performance.now(), busy: busySeconds([OTHER_CORE]) };
      await sleep(ms - WARM_UP);
      const seconds = (performance.now() - before.at) / 1000;
      const cpu = (cpuOf(proxy.pid) - before.cpu) / seconds;
      const otherBusy = (busySeconds([OTHER_CORE]) - before.busy) / seconds;
      const felt = await client.ask();
      const events = attacker === undefined ? 0 : ((await attacker.ask()).events - counted.events) / seconds;
      await attacker?.stop();
      const said = await proxy.ask();
      return { felt, cpu, otherBusy, events, said, memory: memory() };
    };
    const idle = await phase();
    const attacked = await phase(proxy);
    // What the last attack left behind is not to be felt in the next phase.
    await sleep(1000);
    const floor = await phase(sink);
    return { name, about: ATTACKS[name].about, event: ATTACKS[name].event, idle, attacked, floor };
  } finally {
    await Promise.all(started.map((one) => one.stop()));
  }
}

function printProfiles(rows, folder) {
  for (const { name } of rows) {
    const { functions, modules } = selfTimes(join(folder, `${name}.cpuprofile`), 20);
    console.log(`\n${name}: own time of the server, over all three phases`);
    for (const { share, name: what } of modules) console.log(`  ${share.toFixed(1).padStart(5)} %  ${what}`);
    console.log('');
    for (const { share, name: what } of functions) console.log(`  ${share.toFixed(1).padStart(5)} %  ${what}`);
  }
  console.log(`\nThe profiles are in ${folder}; a browser's developer tools open them.`);
}
