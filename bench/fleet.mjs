/**
 * Owns the proxy processes: pinned to a core, bounded in time, started before their measurement and stopped behind it.
 * Refuses to know what is measured.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuOf, memoryOf } from './process-tree.mjs';

const START_MS = 10_000;
const STOP_MS = 5_000;
const SETTLE_MS = 150;
/** No proxy outlives the benchmark for long, not even when that is killed. */
const LIFETIME_SECONDS = 7200;
const CERTS = fileURLToPath(new URL('../test/support/certs/', import.meta.url));

/** Every proxy that runs, and the folder with their configurations. */
export class Fleet {
  #generator;
  #pin;
  #folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  #running = new Set();
  #tls;
  #stopping = false;
  /** How each was started, by name, for whoever wants to do it again. */
  commands = new Map();

  /**
   * @param {import('./generator.mjs').Generator} generator
   * @param {readonly string[]} pin
   */
  constructor(generator, pin) {
    this.#generator = generator;
    this.#pin = pin;
    const [key, cert, both] = ['key', 'cert', 'both'].map((name) => join(this.#folder, `${name}.pem`));
    const [keyText, certText] = ['key', 'cert'].map((name) => readFileSync(`${CERTS}localhost.${name}.pem`, 'utf8'));
    // Copies, because HAProxy wants both in one file.
    writeFileSync(key, keyText, { mode: 0o600 });
    writeFileSync(cert, certText);
    writeFileSync(both, certText + keyText, { mode: 0o600 });
    this.#tls = { key, cert, both };
  }

  /** Starts a proxy of a kind. Throws with the reason when it does not come up. */
  async start(kind, { tls = false } = {}) {
    if (this.#stopping) throw new Error('the benchmark is stopping');
    const folder = join(this.#folder, `${kind.name}-${Math.random().toString(36).slice(2)}`);
    mkdirSync(folder);
    const { websocket, plain, files } = this.#generator.about;
    const target = kind.tcp ? plain : websocket;
    const port = await freePort();
    if (this.#stopping) throw new Error('the benchmark is stopping');
    const place = { port, target, tls: tls ? this.#tls : undefined, folder, files };
    const { command, env, config } = kind.start(place);
    const bounded = ['timeout', '-k', '2', String(LIFETIME_SECONDS), ...this.#pin, ...command];
    const proxy = new RunningProxy(kind, { port: place.port, tls, folder }, bounded, env, this.#generator);
    if (!tls) this.commands.set(kind.name, this.#describe(command, env, config, folder));
    this.#running.add(proxy);
    try {
      await proxy.started();
    } catch (error) {
      await this.stop(proxy);
      throw error;
    }
    return proxy;
  }

  async stop(proxy) {
    await proxy.stop();
    this.#running.delete(proxy);
  }

  async stopAll() {
    this.#stopping = true;
    await Promise.all([...this.#running].map((proxy) => this.stop(proxy)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #describe(command, env, config, folder) {
    const plainly = (text) => text.replaceAll(folder, '<folder>').replaceAll(this.#folder, '<folder>');
    const root = fileURLToPath(new URL('..', import.meta.url));
    const words = [...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`), ...this.#pin, ...command];
    return {
      command: plainly(words.join(' ')).replaceAll(root, '').replace(process.execPath, 'node'),
      config: config === undefined ? undefined : plainly(config),
    };
  }
}

/** One proxy that runs, and the connections that were opened through it. */
class RunningProxy {
  #process;
  #exited;
  #generator;
  #pools = new Map();
  #errors = '';
  #folder;

  constructor(kind, { port, tls, folder }, [file, ...args], env, generator) {
    this.#folder = folder;
    this.kind = kind;
    this.name = kind.name;
    this.port = port;
    this.tls = tls;
    this.#generator = generator;
    this.#process = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-2000);
    });
    this.#exited = new Promise((resolve) => {
      this.#process.on('exit', resolve);
      this.#process.on('error', resolve);
    });
  }

  /** Resolves when its port takes connections. */
  async started() {
    const end = performance.now() + START_MS;
    while (!(await accepts(this.port))) {
      if (!this.alive) throw new Error(`did not start: ${this.lastWords()}`);
      if (performance.now() > end) throw new Error('did not listen in time');
      await sleep(20);
    }
    // What it still does on starting is not part of the first measurement.
    await sleep(SETTLE_MS);
  }

  get alive() {
    return this.#process.pid !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** The last line that says something. */
  lastWords() {
    const lines = this.#errors.split('\n').filter((line) => /\w/.test(line) && !/^\s+at |^Node\.js v/.test(line));
    return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing')
      .trim()
      .replaceAll(this.#folder, '')
      .slice(0, 120);
  }

  cpu() {
    return cpuOf(this.#process.pid);
  }

  memory() {
    return memoryOf(this.#process.pid);
  }

  /** How the generator reaches it. */
  get address() {
    return { port: this.port, client: this.kind.plainClient ? 'plain' : 'websocket', tls: this.tls ? 1 : 0 };
  }

  /** So many connections through it, opened when they are not yet. */
  async pool(connections) {
    const open = this.#pools.get(connections);
    if (open !== undefined) return open;
    const { pool } = await this.#generator.ask('open', { ...this.address, connections });
    this.#pools.set(connections, pool);
    return pool;
  }

  async closePools() {
    for (const pool of this.#pools.values()) await this.#generator.ask('close', { pool });
    this.#pools.clear();
  }

  async stop() {
    if (!this.alive) return;
    this.#process.kill('SIGTERM');
    // `timeout` leads a group of its own, in which is only what was started here.
    const late = setTimeout(() => process.kill(-this.#process.pid, 'SIGKILL'), STOP_MS);
    await this.#exited;
    clearTimeout(late);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
