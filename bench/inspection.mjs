/**
 * Owns what it costs to look inside: `npm run bench:inspection`. With `--against`, this build and another one side by side while nobody
 * looks; and a proxy with thousands of idle connections and some busy ones, with a dashboard and without, in turns. Refuses to judge.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../scripts/workspace.mjs';
import { Fleet } from './fleet.mjs';
import { buildGenerator, Generator } from './generator.mjs';
import { allKinds } from './peers.mjs';
import { cpuOf } from './process-tree.mjs';
import { median, ratioOf, short } from './statistics.mjs';

const USAGE = `Usage: npm run bench:inspection -- [options]
  --against <folder>   a dist folder of another build: both are measured while nobody looks; may be this build itself
  --idle <n>           idle connections of the proxy that is looked at; default 10000, or as many as the limit of open files allows
  --busy <n>           busy ones beside them; default 200
  --rounds <n>         how often everything is measured; default 7
  --ms <n>             how long one measurement sends; default 3000
  --quick              1000 idle connections, 3 rounds, 1000 ms: shows that it works`;

const HOST = '127.0.0.1';
/** Files that a process has open beside its connections. */
const SPARE_FILES = 300;
const CORES = { proxy: 0, load: 1 };
const SIZE = 125;
const WINDOW = 4;

const [role, ...rest] = process.argv.slice(2);
if (role === 'proxy') await beProxy(rest);
else if (role === 'dashboard') beDashboard(rest);
else process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      against: { type: 'string' },
      idle: { type: 'string' },
      busy: { type: 'string', default: '200' },
      rounds: { type: 'string' },
      ms: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const { quick } = values;
  const settings = {
    against: values.against,
    idle: Number(values.idle ?? (quick ? 1000 : 10_000)),
    busy: Number(values.busy),
    rounds: Number(values.rounds ?? (quick ? 3 : 7)),
    ms: Number(values.ms ?? (quick ? 1000 : 3000)),
  };
  const code = await build();
  if (code !== 0) return code;
  buildGenerator();
  const generator = await Generator.start(pinned(CORES.load));
  try {
    if (settings.against !== undefined) await compareBuilds(generator, settings);
    await compareWatched(generator, settings);
  } finally {
    generator.stop();
  }
  return 0;
}

/** Throughput and connect rate of two builds in turns, nobody looking at either. */
async function compareBuilds(generator, { against, rounds, ms }) {
  const fleet = new Fleet(generator, pinned(CORES.proxy));
  try {
    const kinds = allKinds({ io: 'fast', against }).filter(({ name }) => name === 'frames' || name === 'frames*');
    const proxies = [];
    for (const kind of kinds) proxies.push(await fleet.start(kind));
    const measure = async (proxy, command, more) => {
      const before = proxy.cpu();
      const answer = await generator.ask(command, { ...more, ms });
      const count = command === 'echo' ? answer.messages : answer.connections;
      return count / (proxy.cpu() - before);
    };
    const pools = new Map();
    for (const proxy of proxies) pools.set(proxy, await proxy.pool(100));
    const echo = (proxy) => measure(proxy, 'echo', { pool: pools.get(proxy), size: SIZE, window: WINDOW });
    const connects = (proxy) => measure(proxy, 'connects', { ...proxy.address, slots: 50 });
    for (const [what, act] of [
      ['round trips', echo],
      ['connections', connects],
    ]) {
      // Compilers have work to do first.
      for (const proxy of proxies) await act(proxy);
      const samples = proxies.map(() => []);
      for (let round = 0; round < rounds; round += 1) {
        const order = round % 2 === 0 ? [0, 1] : [1, 0];
        for (const at of order) samples[at].push(await act(proxies[at]));
      }
      const [own, other] = samples;
      const ratio = ratioOf(own, other);
      print(
        `nobody looks: ${what} per CPU-second, this build and the other`,
        `${short(median(own))}  ${short(median(other))}  ${percent(ratio)}  (rounds: ${spread(own, other)})`,
      );
    }
  } finally {
    await fleet.stopAll();
  }
}

/** A proxy with many connections, with a dashboard and without, in turns. */
async function compareWatched(generator, { idle, busy, rounds, ms }) {
  const room = Math.floor((generator.about.files - SPARE_FILES) / 2) - busy;
  const pairs = Math.min(idle, room);
  if (pairs < idle)
    console.log(`${pairs} idle connections instead of ${idle}: a process may open ${generator.about.files} files here`);
  const port = 20_000 + Math.floor(Math.random() * 9000);
  const proxy = child('proxy', [port, generator.about.websocket], CORES.proxy, ['--expose-gc']);
  const [adminUrl] = await once(proxy, 'message');
  const dashboard = child('dashboard', [adminUrl], CORES.load);
  try {
    // In parts: the backlog of a listener is bounded.
    for (let open = 0; open < pairs; open += 1000) {
      await generator.ask('open', { port, connections: Math.min(1000, pairs - open), size: SIZE });
    }
    const { pool } = await generator.ask('open', { port, connections: busy, size: SIZE });
    const measure = async () => {
      const before = cpuOf(proxy.pid);
      const { messages, seconds } = await generator.ask('echo', { pool, size: SIZE, window: WINDOW, ms });
      const used = cpuOf(proxy.pid) - before;
      return { throughput: messages / seconds, perCpu: messages / used };
    };
    const look = async (on) => {
      await ask(dashboard, on);
      // It has what it shows at first.
      await sleep(on ? 1500 : 200);
    };
    await measure();
    const heap = { before: await ask(proxy, 'heap') };
    const samples = { without: [], with: [] };
    const idleCpu = { without: [], with: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const phase of round % 2 === 0 ? ['without', 'with'] : ['with', 'without']) {
        await look(phase === 'with');
        samples[phase].push(await measure());
        if (round < 2) {
          const before = cpuOf(proxy.pid);
          await sleep(ms);
          idleCpu[phase].push(((cpuOf(proxy.pid) - before) / ms) * 100_000);
        }
      }
    }
    await look(true);
    heap.with = await ask(proxy, 'heap');
    const seen = await ask(dashboard, 'seen');
    await look(false);
    heap.after = await ask(proxy, 'heap');
    console.log(
      `\n${pairs} idle and ${busy} busy connections, ${SIZE} bytes, ${rounds} rounds of ${ms} ms, Node.js ${process.version}\n`,
    );
    for (const [what, key] of [
      ['round trips a second', 'throughput'],
      ['round trips per CPU-second', 'perCpu'],
    ]) {
      const [without, watched] = ['without', 'with'].map((phase) => samples[phase].map((sample) => sample[key]));
      print(
        `${what}, without and with a dashboard`,
        `${short(median(without))}  ${short(median(watched))}  ${percent(ratioOf(watched, without))}  (rounds: ${spread(watched, without)})`,
      );
    }
    const cpu = ['without', 'with'].map((phase) => `${median(idleCpu[phase]).toFixed(1)} %`);
    print('CPU while no messages pass, without and with a dashboard', cpu.join('  '));
    print(
      'heap after a collection, before, with a dashboard, and after it',
      [heap.before, heap.with, heap.after].map(mebibytes).join('  '),
    );
    print(
      'what the dashboard was told',
      `${seen.stats} stats, ${seen.pages} pages, ${seen.frames} frames, ${mebibytes(seen.bytes)}; the slowest answer took ${seen.slowest.toFixed(0)} ms`,
    );
  } finally {
    for (const one of [proxy, dashboard]) {
      const ended = once(one, 'exit');
      one.disconnect();
      await ended;
    }
  }
}

async function beProxy([port, target]) {
  const { ProxyServer } = await import(pathToFileURL(fileURLToPath(new URL('../dist/index.js', import.meta.url))).href);
  const limits = { maxConnections: 100_000 };
  const server = new ProxyServer({
    listen: `${HOST}:${port}`,
    target: `ws://${HOST}:${target}`,
    limits,
    admin: { listen: `${HOST}:0` },
  });
  await server.start();
  process.on('message', () => {
    globalThis.gc();
    process.send(process.memoryUsage().heapUsed);
  });
  process.on('disconnect', () => process.exit());
  process.send(server.adminUrl);
}

/** What the page of the dashboard asks for, again and again, and what it listens to. */
function beDashboard([adminUrl]) {
  const seen = { stats: 0, pages: 0, frames: 0, bytes: 0, slowest: 0 };
  let timer;
  let stream;
  const get = (path, onText) =>
    request(`${adminUrl}${path}`, (response) =>
      response
        .setEncoding('utf8')
        .on('data', onText)
        .on('error', () => {}),
    );
  const poll = (path, what) => {
    const begun = performance.now();
    const asked = get(path, (text) => {
      seen.bytes += text.length;
    });
    asked.on('close', () => {
      seen[what] += 1;
      seen.slowest = Math.max(seen.slowest, performance.now() - begun);
    });
    asked.on('error', () => {}).end();
  };
  const stop = () => {
    clearInterval(timer);
    stream?.destroy();
    stream = undefined;
  };
  process.on('message', (wish) => {
    if (wish === true && stream === undefined) {
      stream = get('/api/v1/inspect', (text) => {
        seen.bytes += text.length;
        seen.frames += text.split('\ndata: ').length;
      }).on('error', () => {});
      stream.end();
      const both = () => {
        poll('/api/v1/stats', 'stats');
        poll('/api/v1/connections?limit=50', 'pages');
      };
      both();
      timer = setInterval(both, 1000);
    } else if (wish === false) {
      stop();
    }
    process.send(seen);
  });
  process.on('disconnect', () => process.exit());
}

/** A role of this file in a process of its own, pinned to a core. */
function child(name, words, core, nodeArgs = []) {
  const [execPath, ...pin] = pinned(core);
  const execArgv = [...pin, process.execPath, ...nodeArgs];
  return fork(fileURLToPath(import.meta.url), [name, ...words.map(String)], { execPath, execArgv });
}

async function ask(one, wish) {
  one.send(wish);
  return (await once(one, 'message'))[0];
}

function pinned(core) {
  return ['taskset', '-c', String(core)];
}

function percent(ratio) {
  return `${ratio >= 1 ? '+' : ''}${((ratio - 1) * 100).toFixed(1)} %`;
}

function spread(ones, others) {
  const ratios = ones.map((one, round) => one / others[round]);
  return `${percent(Math.min(...ratios))} to ${percent(Math.max(...ratios))}`;
}

function mebibytes(bytes) {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function print(what, text) {
  console.log(`${what}\n  ${text}`);
}
