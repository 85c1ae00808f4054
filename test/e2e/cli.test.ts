/** Owns what the command line answers without serving anything: help, schema, check and configuration errors. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchesHash, parseHash } from '../../src/server/authentication/password-hash.js';
import { runCli } from '../../src/server/cli/run-cli.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function cli(argv: string[], env: Record<string, string> = {}, input: string[] = []) {
  const out: string[] = [];
  const err: string[] = [];
  const stdout = { write: (text: string) => out.push(text) };
  const stderr = { write: (text: string) => err.push(text) };
  const stdin = (async function* () {
    yield* input;
  })();
  const code = await runCli(argv, { stdout, stderr, env, stdin });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

describe('a configuration error answers 2 and names option, value and what would be right', () => {
  it.each([
    [['proxy'], '--target: got nothing; expected ws://host:port/path'],
    [['proxy', '--target', 'foo'], '--target: got "foo"; expected ws://host:port/path'],
    [
      ['proxy', '--target', 'tcp://a:1', '--max-connections', 'many'],
      '--max-connections: got "many"; expected a whole',
    ],
    [['proxy', '--target', 'tcp://a:1', '--max-connections', '-1'], '--max-connections: got -1; expected a whole'],
    [['proxy', '--target', 'tcp://a:1', '--listen', 'x', '--listen', '1'], '--listen: got "x"; expected a port'],
    [['proxy', '--target', 'tcp://a:1', '--idle-timeout', 'soon'], '--idle-timeout: got "soon"; expected milliseconds'],
    [['proxy', '--target', 'tcp://a:1', '--half-close', 'maybe'], '--half-close: got "maybe"; expected true or false'],
    [['proxy', '--target', 'tcp://a:1', '--log-level', 'loud'], `--log-level: got "loud"; expected 'trace' or`],
    [['proxy', '--max-conections', '5'], "unknown option '--max-conections'\n(Did you mean --max-connections?)"],
    [['proxy', '--listen'], "option '--listen <host:port>' argument missing"],
    [['balance'], '--backend: got nothing; expected at least one backend, or a way to get some'],
    [['balance', '--backend', 'http://a'], '--backend: got "http://a"; expected the address of a backend'],
    [
      ['balance', '--backend', 'ws://a:1', '--backend', 'ws://a:1'],
      '--backend: got "ws://a:1"; expected a backend with an id of',
    ],
    [['balance', '--backend', 'ws://a:1', '--backend', 'tcp://a:1'], '--backend: got "tcp://a:1"; expected one that'],
    [['balance', '--backend', 'ws://a:1', '--policy', 'best'], `--policy: got "best"; expected 'least-connections' or`],
    [['balance', '--backend', 'ws://a:1', '--target', 'ws://a:1'], "unknown option '--target'"],
    [['balance', '--admin', '0.0.0.0:1'], '--admin-token: got nothing; expected a secret: without one only an address'],
    [['balance', '--admin', 'x'], `--admin: got "x"; expected a port, 'host:port' or '[v6]:port'`],
    [['run'], "required option '--config <file>' not specified"],
    [['run', '--config', '/nowhere.yaml'], '/nowhere.yaml: cannot be read'],
    [['demo', '--listen', 'x'], '--listen: got "x"; expected'],
    [['prox'], "unknown command 'prox'"],
  ])('%j', async (argv, message) => {
    const { code, stderr } = await cli(argv);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('also when the environment gave it', async () => {
    const { code, stderr } = await cli(['proxy'], { TIDEGATE_TARGET: 'tcp://a:1', TIDEGATE_DIAL_TIMEOUT: 'soon' });
    expect(stderr).toContain('TIDEGATE_DIAL_TIMEOUT: got "soon"; expected milliseconds');
    expect(stderr).not.toContain('--target');
    expect(code).toBe(2);
  });

  it('without a secret', async () => {
    const argv = ['balance', '--backend', 'ws://a:1', '--admin', '1', '--admin-token', 'hunter2'];
    const { code, stderr } = await cli([...argv, '--control-token', 'hunter2'], { TIDEGATE_AFFINITY: 'hunter2' });
    expect(code).toBe(2);
    for (const option of ['--admin-token', '--control-token', 'TIDEGATE_AFFINITY']) expect(stderr).toContain(option);
    expect(stderr.replace('TIDEGATE_AFFINITY: got "hunter2"', '')).not.toContain('hunter2');
  });

  it('and a flag wins over the environment', async () => {
    const env = { TIDEGATE_TARGET: 'tcp://a:1', TIDEGATE_DIAL_TIMEOUT: '5s' };
    expect((await cli(['proxy', '--dial-timeout', 'never'], env)).stderr).toContain('--dial-timeout: got "never"');
  });
});

describe('check', () => {
  it('lists every problem with its line and answers 2', async () => {
    const file = join(folder, 'bad.yaml');
    writeFileSync(file, 'proxies:\n  - target: http://x\n    timeouts: { dial: soon }\nlog: { level: loud }\n');
    const { code, stdout } = await cli(['check', '--config', file]);
    expect(code).toBe(2);
    for (const place of ['2:13: proxies[0].target', '3:23: proxies[0].timeouts.dial', '4:15: log.level']) {
      expect(stdout).toContain(`${file}:${place}`);
    }
    expect(stdout).toContain('3 problems');
  });

  it('answers 0 for a file that can be used', async () => {
    const file = join(folder, 'good.yaml');
    writeFileSync(file, 'proxies: [{ target: "tcp://a:1" }]\n');
    expect(await cli(['check', '--config', file])).toMatchObject({ code: 0, stdout: `${file}: valid, 1 proxy\n` });
    writeFileSync(file, 'balancers: [{ listen: 1, backends: ["ws://a:1"] }, { listen: 2, admin: { listen: 3 } }]\n');
    expect(await cli(['check', '--config', file])).toMatchObject({ code: 0, stdout: `${file}: valid, 2 balancers\n` });
  });
});

describe('what teaches', () => {
  it('schema prints a JSON Schema', async () => {
    const { code, stdout } = await cli(['schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      type: 'object',
      properties: { proxies: { type: 'array' }, balancers: { type: 'array' } },
      anyOf: [{ required: ['proxies'] }, { required: ['balancers'] }],
    });
  });

  it('--version prints the version', async () => {
    expect(await cli(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it.each(['proxy', 'balance', 'run', 'check', 'schema', 'demo'])('%s --help ends with examples', async (command) => {
    const { code, stdout } = await cli([command, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('\nExamples:\n');
  });

  it('proxy --help has each flag with its default and variable', async () => {
    const { stdout } = await cli(['proxy', '--help']);
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('--heartbeat-interval <duration> Time between two pings');
    expect(text).toContain('(default: 30s; env: TIDEGATE_HEARTBEAT_INTERVAL)');
    expect(text).toContain('Redis over WebSocket');
    expect(text).toContain('VNC');
  });

  it('balance --help has the options of a balancer, and none about one target', async () => {
    const text = (await cli(['balance', '--help'])).stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('--backend <url> The backends that are known');
    expect(text).toContain('Backends that go: --drain-when-lost <keep|drain|close>');
    expect(text).toContain('env: TIDEGATE_ADMIN)');
    expect(text).not.toMatch(/--target |--warm-connections/);
  });

  it('no command at all shows the help and answers 2', async () => {
    const { code, stderr } = await cli([]);
    expect(stderr).toContain('Usage: tidegate');
    expect(code).toBe(2);
  });
});

describe('hash-password', () => {
  it('prints the hash of one line of standard input, and never the password', async () => {
    const { code, stdout } = await cli(['hash-password'], {}, ['hun', 'ter2\r\n', 'more']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[^$\s]+\$[^$\s]+\n$/);
    expect(await matchesHash('hunter2', parseHash(stdout.trim())!)).toBe(true);
  });

  it.each([
    ['nothing', []],
    ['an empty line', ['\nsecret']],
    ['too much', ['x'.repeat(5000)]],
  ])('answers 2 for %s', async (_, input) => {
    const { code, stdout, stderr } = await cli(['hash-password'], {}, input);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('there is no password on standard input');
  });

  it('takes no password as an argument', async () => {
    expect((await cli(['hash-password', 'hunter2'])).code).toBe(2);
  });
});

describe('a configuration error about credentials', () => {
  it.each([
    ['users: { ada: 5 }', 'authentication.users.ada'],
    ['users: { ada: "" }', 'authentication.users.ada'],
    ['users: { ada: "$scrypt$hunter2hunter2" }', 'authentication.users.ada'],
    ['users: { ada: { password: [hunter2hunter2] } }', 'authentication.users.ada.password'],
    ['users: { ada: { password: hunter2hunter2, tag: x } }', 'authentication.users.ada.tag'],
    ['users: hunter2hunter2', 'authentication.users'],
    ['users: { "a:b": hunter2hunter2 }', 'authentication.users'],
    ['jwt: { secret: hunter2hunter2 }', 'authentication.jwt.secret'],
    ['jwt: { secret: hunter2hunter2-hunter2hunter2-hunter2, key: x.pem }', 'authentication.jwt'],
    ['jwt: hunter2hunter2', 'authentication.jwt'],
    ['jwt: { keySet: \'{"keys":[{"kty":"oct","k":"hunter2hunter2"}]}\' }', 'authentication.jwt.keySet'],
    ['jwt: { key: \'{"kty":"oct","k":"hunter2hunter2"}\' }', 'authentication.jwt.key'],
    ['{ realm: hunter2hunter2 }', 'authentication'],
    ['hunter2hunter2', 'authentication'],
  ])('names the option and never what it holds: %s', async (text, path) => {
    const file = join(folder, 'credentials.yaml');
    const value = text.includes(': ') && !text.startsWith('{') ? `{ ${text} }` : text;
    writeFileSync(file, `proxies:\n  - target: tcp://127.0.0.1:1\n    authentication: ${value}\n`);
    const { code, stdout } = await cli(['check', '--config', file]);
    expect(code).toBe(2);
    expect(stdout).toContain(path);
    expect(stdout).not.toContain('hunter2');
  });
});
