/**
 * Owns finding real services for tests: one that an environment variable names, one on its usual port, or one started
 * here from an installed program and stopped afterwards. Refuses to install anything, and to pretend: what is missing is
 * said, and the test skips with that reason.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { eventually, waitForEvent } from './events.js';
import { connectTcp, refusedPort } from './tcp-peer.js';

/** A service that answers. */
export interface FoundService {
  readonly missing?: undefined;
  /** Such as `redis://127.0.0.1:6379`. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Whether it was started here, so that a test may fill, pause or stop it as it likes. */
  readonly own: boolean;
  /** Stops it if it was started here, and resolves when its process and files are gone. */
  stop(): Promise<void>;
}

/** A program that is installed. */
export interface FoundProgram {
  readonly missing?: undefined;
  readonly path: string;
}

/** Why there is none. */
export interface Missing {
  readonly missing: string;
}

interface ServiceKind {
  readonly name: string;
  readonly variable: string;
  readonly scheme: string;
  readonly defaultPort: number;
  readonly programs: readonly string[];
  /** Sends the first request of the protocol and checks the first bytes of the answer. */
  readonly hello: Uint8Array;
  readonly answer: Uint8Array;
  /** The arguments that start it on that port with a directory of its own. */
  arguments(port: number, directory: string): Promise<string[]>;
}

const REDIS: ServiceKind = {
  name: 'Redis',
  variable: 'REDIS_URL',
  scheme: 'redis',
  defaultPort: 6379,
  programs: ['redis-server', 'valkey-server'],
  hello: Buffer.from('PING\r\n'),
  answer: Buffer.from('+PONG'),
  async arguments(port, directory) {
    const where = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory];
    return [...where, '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  },
};

const MOSQUITTO: ServiceKind = {
  name: 'Mosquitto',
  variable: 'MQTT_URL',
  scheme: 'mqtt',
  defaultPort: 1883,
  programs: ['mosquitto', '/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'],
  // MQTT 3.1.1: CONNECT with a clean session and the client id `tg`; CONNACK, accepted.
  hello: Buffer.from([0x10, 14, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 10, 0, 2, 0x74, 0x67]),
  answer: Buffer.from([0x20, 2, 0, 0]),
  async arguments(port, directory) {
    const file = join(directory, 'mosquitto.conf');
    await writeFile(file, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\n`);
    return ['-c', file];
  },
};

/** Finds a Redis or Valkey: `REDIS_URL`, else 127.0.0.1:6379, else one started from an installed program. */
export function findRedis(): Promise<FoundService | Missing> {
  return findService(REDIS);
}

/** Starts a Redis of the test's own, which it may stop and fill as it likes, even when another one runs. */
export function startRedis(): Promise<FoundService | Missing> {
  return startService(REDIS);
}

/** Finds an MQTT broker: `MQTT_URL`, else 127.0.0.1:1883, else a mosquitto started from an installed program. */
export function findMosquitto(): Promise<FoundService | Missing> {
  return findService(MOSQUITTO);
}

/** Starts a mosquitto of the test's own, even when another broker runs. */
export function startMosquitto(): Promise<FoundService | Missing> {
  return startService(MOSQUITTO);
}

/** What Chromium is started with: no sandbox, which a container does not give it, and no traffic of its own. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Finds a Chromium or Chrome: `CHROMIUM_PATH`, else one of the usual names and places. */
export function findChromium(): FoundProgram | Missing {
  const named = process.env.CHROMIUM_PATH;
  if (named !== undefined && named !== '') {
    return isExecutable(named) ? { path: named } : { missing: `CHROMIUM_PATH is ${named}, which cannot be run` };
  }
  return program('Chromium', 'set CHROMIUM_PATH, or install chromium', [
    'chromium',
    'chromium-browser',
    'google-chrome',
    'google-chrome-stable',
    'chrome-headless-shell',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ]);
}

/** Finds HAProxy. */
export function findHaproxy(): FoundProgram | Missing {
  return program('HAProxy', 'install haproxy', ['haproxy', '/usr/sbin/haproxy', '/usr/local/sbin/haproxy']);
}

/** Finds the command line of OpenSSL. */
export function findOpenssl(): FoundProgram | Missing {
  return program('openssl', 'install openssl', ['openssl']);
}

/** Finds curl. */
export function findCurl(): FoundProgram | Missing {
  return program('curl', 'install curl', ['curl']);
}

/** Finds what puts a certificate authority into the store that Chromium trusts. */
export function findCertutil(): FoundProgram | Missing {
  return program('certutil', 'install libnss3-tools', ['certutil']);
}

function program(name: string, hint: string, names: readonly string[]): FoundProgram | Missing {
  const path = findProgram(names);
  return path === undefined ? { missing: `no ${name}: ${hint}` } : { path };
}

async function findService(kind: ServiceKind): Promise<FoundService | Missing> {
  const named = process.env[kind.variable];
  if (named !== undefined && named !== '') {
    const { hostname, port } = new URL(named);
    const host = hostname.replace(/^\[|\]$/g, '');
    const number = port === '' ? kind.defaultPort : Number(port);
    // Credentials in the URL are the client's business: that something listens is all that is asked here.
    return (await answers(kind, host, number, 'anything'))
      ? running(named, host, number)
      : { missing: `nothing answers at ${kind.variable} (${host}:${number})` };
  }
  const { defaultPort, scheme } = kind;
  if (await answers(kind, '127.0.0.1', defaultPort, 'greeting')) {
    return running(`${scheme}://127.0.0.1:${defaultPort}`, '127.0.0.1', defaultPort);
  }
  return startService(kind);
}

function running(url: string, host: string, port: number): FoundService {
  return { url, host, port, own: false, stop: async () => {} };
}

async function startService(kind: ServiceKind): Promise<FoundService | Missing> {
  const program = findProgram(kind.programs);
  if (program === undefined) {
    return { missing: `no ${kind.name}: set ${kind.variable}, or install ${kind.programs[0]}` };
  }
  const directory = await mkdtemp(join(tmpdir(), `tidegate-${kind.scheme}-`));
  const port = await refusedPort();
  const child = spawn(program, await kind.arguments(port, directory), { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => resolve());
    child.on('error', () => resolve());
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && isRunning(child)) child.kill('SIGTERM');
    await exited;
    process.removeListener('exit', kill);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await eventually(() => !isRunning(child) || answers(kind, '127.0.0.1', port, 'greeting'), `${kind.name} answers`);
  } catch (error) {
    await stop();
    return { missing: `${program} was started and never answered: ${String(error)}` };
  }
  if (!isRunning(child)) {
    await stop();
    return { missing: `${program} ended at once with ${child.exitCode ?? child.signalCode ?? 'an error'}` };
  }
  return { url: `${kind.scheme}://127.0.0.1:${port}`, host: '127.0.0.1', port, own: true, stop };
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** Milliseconds that a listener gets for its first answer. */
const GREETING_MS = 1_000;

async function answers(kind: ServiceKind, host: string, port: number, how: 'anything' | 'greeting'): Promise<boolean> {
  const connection = await connectTcp({ host, port }).catch(() => undefined);
  if (connection === undefined) return false;
  try {
    if (how === 'anything') return true;
    connection.socket.setTimeout(GREETING_MS, () => connection.destroy());
    connection.write(kind.hello);
    return (await connection.read(kind.answer.length)).equals(kind.answer);
  } catch {
    return false;
  } finally {
    connection.destroy();
    if (!connection.socket.closed) await waitForEvent(connection.socket, 'close').catch(() => {});
  }
}

/** Looks a program up in the PATH; a name with a slash is a place of its own. */
function findProgram(names: readonly string[]): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  return names
    .flatMap((name) => (name.includes('/') ? [name] : directories.map((directory) => join(directory, name))))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
