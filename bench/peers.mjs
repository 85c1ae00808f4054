/**
 * Owns the list of everything that is measured: how each is found, which version it is, and how it is started. Refuses to
 * start anything.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { caddy, haproxy, nginx, nginxStream } from './native-configs.mjs';

const PROXY = fileURLToPath(new URL('proxy.mjs', import.meta.url));
const require = createRequire(import.meta.url);

/**
 * @typedef {object} Kind
 * @property {string} name
 * @property {'ours' | 'peer' | 'floor'} side
 * @property {boolean} [tcp] its target is plain TCP
 * @property {boolean} [plainClient] its clients speak plain TCP too
 * @property {boolean} [forks] it is a process for each connection, so it gets few
 * @property {() => { version?: string, missing?: string }} find
 * @property {(place: object) => { command: string[], env?: Record<string, string>, config?: string }} start
 */

/** Every kind, in the order of the tables. */
export function allKinds({ io, against, profile }) {
  const peers = [
    native('nginx', 'nginx', ['-v'], (place) => nginx(place), nginxCommand),
    native('nginx-64k', 'nginx', ['-v'], (place) => nginx({ ...place, large: true }), nginxCommand),
    native('haproxy', 'haproxy', ['-v'], (place) => haproxy(place), haproxyCommand),
    native('haproxy-64k', 'haproxy', ['-v'], (place) => haproxy({ ...place, large: true }), haproxyCommand),
    {
      ...native('caddy', 'caddy', ['version'], (place) => caddy(place), caddyCommand),
      env: ({ folder }) => ({ GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }),
    },
    fromNpm('http-proxy', 'http-proxy'),
    fromNpm('httpxy', 'httpxy'),
    fromNpm('ws', 'ws'),
    { ...native('nginx-stream', 'nginx', ['-v'], streamConfig, nginxCommand), side: 'floor', find: findStream },
    { ...websockify, side: 'peer', tcp: true, forks: true },
    {
      ...native('nginx-stream-tcp', 'nginx', ['-v'], streamConfig, nginxCommand),
      side: 'floor',
      find: findStream,
      tcp: true,
      plainClient: true,
    },
  ];
  return [...ourKinds({ io, against, profile }), ...peers];
}

/** Tidegate in all its ways; a twin with an asterisk is another build, right behind it. */
function ourKinds({ io, against, profile }) {
  const ways = [
    { name: 'frames', io: io ?? 'fast' },
    { name: 'frames-on', io: io ?? 'fast' },
    { name: 'frames-off', io: io ?? 'fast' },
    { name: 'messages', io: io ?? 'fast' },
    { name: 'stream', io: io ?? 'fast', tcp: true },
    // With one way of I/O for all there is nothing to set side by side.
    ...(io === undefined
      ? [
          { name: 'frames-portable', kind: 'frames', io: 'portable' },
          { name: 'stream-portable', kind: 'stream', io: 'portable', tcp: true },
        ]
      : []),
  ];
  const builds = against === undefined ? [undefined] : [undefined, against];
  return ways.flatMap((way) => builds.map((dist) => ours(way, dist, profile)));
}

function ours({ name, kind = name, io, tcp = false }, dist, profile) {
  const fullName = dist === undefined ? name : `${name}*`;
  return {
    name: fullName,
    side: 'ours',
    tcp,
    find: () => ({ version: versionOf('../package.json') }),
    start: (place) => ({
      command: [
        process.execPath,
        ...(profile === undefined
          ? []
          : ['--cpu-prof', `--cpu-prof-name=${fullName}.cpuprofile`, `--cpu-prof-dir=${profile}`]),
        ...nodeArguments(kind, place),
        ...(dist === undefined ? [] : ['--dist', dist]),
      ],
      env: { TIDEGATE_IO: io },
    }),
  };
}

function fromNpm(name, library) {
  return {
    name,
    side: 'peer',
    find: () => {
      try {
        return { version: packageVersion(library) };
      } catch {
        return { missing: 'not in node_modules (npm ci)' };
      }
    },
    start: (place) => ({ command: [process.execPath, ...nodeArguments(name, place)] }),
  };
}

function nodeArguments(kind, { port, target, tls }) {
  const secured = tls === undefined ? [] : ['--key', tls.key, '--cert', tls.cert];
  return [PROXY, kind, '--listen', String(port), '--target', String(target), ...secured];
}

function native(name, program, versionArgs, config, command) {
  return {
    name,
    side: 'peer',
    find: () => findProgram(program, versionArgs),
    start(place) {
      const text = config(place);
      const file = join(place.folder, 'config');
      writeFileSync(file, text);
      return { command: command(file, place), config: text, env: this.env?.(place) };
    },
  };
}

// Without -e nginx opens the log that was compiled in before it reads its configuration.
const nginxCommand = (file, { folder }) => ['nginx', '-e', 'stderr', '-p', folder, '-c', file];
const haproxyCommand = (file) => ['haproxy', '-db', '-f', file];
const caddyCommand = (file) => ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'];

const websockify = {
  name: 'websockify',
  find: () => {
    const { missing } = findProgram('websockify', ['--help']);
    return missing === undefined ? { version: pythonVersion('websockify') } : { missing };
  },
  start: ({ port, target, tls }) => ({
    command: [
      'websockify',
      ...(tls === undefined ? [] : [`--cert=${tls.cert}`, `--key=${tls.key}`, '--ssl-only']),
      `127.0.0.1:${port}`,
      `127.0.0.1:${target}`,
    ],
  }),
};

function streamConfig(place) {
  return nginxStream({ ...place, module: streamModule() });
}

/** The file of the module, or undefined when it is built in, or null when there is none. */
function streamModule() {
  const { stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
  if (/--with-stream(\s|$)/.test(stderr)) return undefined;
  const [, folder = '/usr/lib/nginx/modules'] = /--modules-path=(\S+)/.exec(stderr) ?? [];
  const file = join(folder, 'ngx_stream_module.so');
  return existsSync(file) ? file : null;
}

function findStream() {
  const found = findProgram('nginx', ['-v']);
  if (found.missing !== undefined) return found;
  return streamModule() === null ? { missing: 'nginx has no stream module (Debian: libnginx-mod-stream)' } : found;
}

function findProgram(program, args) {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined) return { missing: error.code === 'ENOENT' ? 'not installed' : error.message };
  return { version: /\d+\.\d+(\.\d+)?/.exec(stdout + stderr)?.[0] ?? 'unknown' };
}

function pythonVersion(library) {
  const code = `import importlib.metadata as m; print(m.version("${library}"))`;
  const options = { encoding: 'utf8', timeout: 10_000, stdio: ['ignore', 'pipe', 'ignore'] };
  try {
    // The Python that its script names: there may be several, and the first on the path need not have it.
    const script = execFileSync('sh', ['-c', `command -v ${library}`], options).trim();
    const [, python = 'python3'] = /^#!\s*(\S*python\S*)/.exec(readFileSync(script, 'utf8')) ?? [];
    return execFileSync(python, ['-c', code], options).trim();
  } catch {
    return 'unknown';
  }
}

/** The file is read as it lies there: not every package exports it. */
function packageVersion(library) {
  const folder = require.resolve.paths(library).find((path) => existsSync(join(path, library, 'package.json')));
  return JSON.parse(readFileSync(join(folder, library, 'package.json'), 'utf8')).version;
}

function versionOf(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')).version;
}
