/**
 * Owns the fuzzing of configuration files: any text is a configuration that means the same when it is read again, or a list
 * of problems that say where and what, and nothing else is ever thrown.
 */
import { strict as assert } from 'node:assert';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { checkConfig, loadConfig, TidegateError } from '../../../src/index.js';
import { resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';
import { resolveProxyOptions } from '../../../src/server/config/options.js';
import type { FuzzTarget } from '../fuzz.js';
import { partsBetween, wordsFrom } from '../mutate.js';

/** What no message for people may hold: the traces of a fault of ours. */
const FAULT = /is not a function|is not iterable|Cannot (read|convert|set)|undefined|\[object|Maximum call stack/;

/** No file of this size takes so long unless something grows with its square or worse. */
const MOST_MS = 3000;

const WORDS = [
  ...[
    'proxies:',
    'balancers:',
    'backends: ',
    'policy: ',
    'admin: ',
    'token: ',
    'weight: ',
    'url: ',
    'id: ',
    '- ',
    '  ',
    '\n',
    ': ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|',
    '>',
    '&a ',
    '*a',
    '<<: *a',
    '!!',
    '# ',
  ],
  ...['listen: ', 'target: ', 'host: ', 'port: ', 'tls: ', 'name: ', 'log: ', 'limits: ', 'timeouts: ', 'heartbeat: '],
  ...[
    'interval: ',
    'idle: ',
    'maxMessageBytes: ',
    'subprotocols: ',
    'compression: ',
    'upstreamTls: ',
    'ca: ',
    'cert: ',
  ],
  ...[
    'true',
    'false',
    'null',
    '~',
    '0',
    '-1',
    '1e309',
    '.nan',
    '.inf',
    '0x10',
    '65536',
    '9007199254740993',
    '2001-01-01',
  ],
  ...[
    '30s',
    '1KiB',
    '1 h',
    'ws://h',
    'wss://u:p@h/',
    'tcp://127.0.0.1:1',
    'unix:/a',
    '[::1]:80',
    '__proto__: ',
    'constructor: ',
  ],
  ...['\ufeff', '\u0000', '\t', '\r\n', '---\n', '...\n', '%YAML 1.1\n', '? ', 'é', '\ud83d\ude00'],
].map((word) => Buffer.from(word));

const folder = mkdtempSync(join(tmpdir(), 'tidegate-fuzz-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, 'any.yaml');

async function run(input: Buffer): Promise<string> {
  writeFileSync(path, input);
  const began = performance.now();
  const problems = await checkConfig(path);
  const took = performance.now() - began;
  assert.ok(took < MOST_MS, `it took ${Math.round(took)} ms to say what is wrong`);
  const loaded = await loadConfig(path).catch((error: unknown) => error);
  if (problems.length > 0) {
    assert.ok(
      loaded instanceof TidegateError && loaded.code === 'INVALID_CONFIG',
      `loadConfig threw ${String(loaded)}`,
    );
    for (const problem of problems) {
      assert.ok(problem.message.startsWith(`${path}:`), `a problem without its place: ${problem.message}`);
      assert.ok(loaded.message.includes(problem.message), `loadConfig does not tell: ${problem.message}`);
      assert.ok(problem.expected.length > 0 && problem.message.includes(problem.path), 'a problem without its option');
      assert.doesNotMatch(withoutText(problem.message, input), FAULT);
    }
    return problems
      .map((problem) => `${problem.path} ${problem.expected}`.replace(/\d+/g, '0').slice(0, 60))
      .slice(0, 3)
      .join();
  }
  assert.ok(!(loaded instanceof Error), `no problem, and yet ${String(loaded)}`);
  const { proxies, balancers } = loaded as Awaited<ReturnType<typeof loadConfig>>;
  for (const { name: _, ...options } of proxies) {
    assert.deepEqual(resolveProxyOptions(options), options, 'a configuration means the same when it is read again');
  }
  for (const { name: _, ...options } of balancers) {
    const { target: _target, warmConnections: _warm, register: _register, ...again } = resolveBalancerOptions(options);
    assert.deepEqual(again, options, 'a configuration means the same when it is read again');
  }
  return `valid ${proxies.length} ${balancers.length}`;
}

/** A message may quote the file, which may hold any word. */
function withoutText(message: string, input: Buffer): string {
  const text = input.toString();
  return FAULT.test(text) ? '' : message;
}

export const config: FuzzTarget = {
  name: 'config',
  modules: [
    'load',
    'locate',
    'problems',
    'listen',
    'target-option',
    'listener-tls',
    'base-directory',
    'upstream-tls',
    'units',
    'fields',
    'nearest-name',
    'compression',
    'file-schema',
    'balancer/backends',
    'admin',
  ].map((name) => `server/config/${name}`),
  mutators: [wordsFrom(WORDS), wordsFrom(WORDS), ...partsBetween('\n')],
  run,
};
