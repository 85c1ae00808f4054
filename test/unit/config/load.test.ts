/** Owns reading configuration files: each problem with its line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';
import { checkConfig, jsonSchema, loadConfig } from '../../../src/server/config/load.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(text: string, name = 'tidegate.yaml'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** The problems as `line:column path`. */
async function placesOf(path: string): Promise<string[]> {
  return (await checkConfig(path)).map((problem) => `${problem.line}:${problem.column} ${problem.path}`);
}

const BAD = `# a comment
proxies:
  - name: vnc
    listen: 6080
    target: tcp://127.0.0.1:5900
    limits:
      maxConections: 5
      highWaterMark: 1KiB
      lowWaterMark: 2KiB
    timeouts: {dial: soon, close: 0}
  - listen: [6081, "x"]
    colour: red
log:
  level: loud
extra: 1
`;

describe('a file with problems', () => {
  it('names each of them with its line and column, in the order of the lines', async () => {
    expect(await placesOf(write(BAD))).toEqual([
      '7:7 proxies[0].limits.maxConections',
      '9:21 proxies[0].limits.lowWaterMark',
      '10:22 proxies[0].timeouts.dial',
      '10:35 proxies[0].timeouts.close',
      '11:5 proxies[1].target',
      '11:20 proxies[1].listen[1]',
      '12:5 proxies[1].colour',
      '14:10 log.level',
      '15:1 extra',
    ]);
  });

  it('says the value it got and what would be right', async () => {
    const path = write(BAD);
    const messages = (await checkConfig(path)).map(({ message }) => message);
    expect(messages[0]).toBe(
      `${path}:7:7: unknown option proxies[0].limits.maxConections: did you mean proxies[0].limits.maxConnections?`,
    );
    expect(messages[2]).toContain(`${path}:10:22: proxies[0].timeouts.dial: got "soon"; expected milliseconds`);
    await expect(loadConfig(path)).rejects.toMatchObject({ code: 'INVALID_CONFIG', message: messages.join('\n') });
  });

  it('may be JSON, with tabs', async () => {
    const text = '{\n\t"proxies": [\n\t\t{"target": "tcp://a:1", "listen": true}\n\t]\n}\n';
    expect(await placesOf(write(text, 'a.json'))).toEqual(['3:37 proxies[0].listen']);
  });

  it('may not be YAML at all', async () => {
    const problems = await checkConfig(write('proxies:\n  - a: [1\n  b: }\n'));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]).toMatchObject({ line: 3, column: 3 });
    expect(problems[0]?.message).toContain('not valid YAML or JSON');
  });

  it('may have a list or a mapping as a key, which is a problem and no warning of the parser', async () => {
    const warnings: unknown[] = [];
    const collect = (warning: unknown) => warnings.push(warning);
    process.on('warning', collect);
    onTestFinished(() => void process.off('warning', collect));
    expect(await placesOf(write('? [listen]\n: 8080\nproxies: []\n'))).toHaveLength(2);
    await setImmediate();
    expect(warnings).toEqual([]);
  });

  it('may give a name twice', async () => {
    expect((await checkConfig(write('log: {}\nlog: {}\n')))[0]).toMatchObject({ line: 2, column: 1 });
  });

  it('may be the options of one proxy, and then says how to write them', async () => {
    const problems = await checkConfig(write('listen: 80\ntarget: tcp://a:1\n'));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('write `proxies:` and below it `  - listen: …`');
  });

  it.each([
    ['empty', ''],
    ['a list', '- 1\n'],
    ['without proxies', 'log: {}\n'],
    ['with no proxy', 'proxies:\n'],
    ['with an empty list', 'proxies: []\n'],
  ])('may be %s', async (_, text) => expect(await checkConfig(write(text))).toHaveLength(1));

  it('may give two proxies one address or one name', async () => {
    const text = `proxies:
  - { name: a, listen: 80, target: 'tcp://a:1' }
  - { name: a, listen: [81, 80], target: 'tcp://a:1' }
`;
    expect(await placesOf(write(text))).toEqual(['3:13 proxies[1].name', '3:24 proxies[1].listen']);
  });

  it('may give a name or an address twice among proxies and balancers, the admin API included', async () => {
    const text = `proxies:
  - { name: a, listen: 80, target: 'tcp://a:1' }
balancers:
  - { name: a, listen: [81, 80], backends: ['ws://a:1'] }
  - { listen: '127.0.0.1:82', backends: ['ws://a:1'], admin: { listen: 82 } }
`;
    expect(await placesOf(write(text))).toEqual([
      '4:13 balancers[0].name',
      '4:24 balancers[0].listen',
      '5:72 balancers[1].admin.listen',
    ]);
  });

  it('may name backends that cannot be', async () => {
    const text = `balancers:
  - listen: 80
    backends:
      - http://a:1
      - { url: 'ws://a:1', wieght: 2 }
      - { url: 'ws://b:1', weight: 0 }
      - { url: 'ws://c:1', id: 'a b' }
  - backends: [ws://d:1]
    polcy: random
`;
    expect(await placesOf(write(text))).toEqual([
      '4:9 balancers[0].backends[0]',
      '5:28 balancers[0].backends[1].wieght',
      '6:36 balancers[0].backends[2].weight',
      '7:32 balancers[0].backends[3].id',
      '9:5 balancers[1].polcy',
    ]);
  });

  it('may have a balancer that never gets a backend', async () => {
    const [problem] = await checkConfig(write('balancers:\n  - listen: 80\n'));
    expect(problem).toMatchObject({ line: 2, path: 'balancers[0].backends' });
    expect(problem?.expected).toContain('expected at least one backend, or a way to get some');
  });

  it('may be the options of one balancer, and then says how to write them', async () => {
    const problems = await checkConfig(write('listen: 80\nbackends: [ws://a:1]\n'));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.message).toContain('write `balancers:` and below it `  - listen: …`');
  });

  it('may be missing', async () => {
    const problems = await checkConfig(join(folder, 'nowhere.yaml'));
    expect(problems[0]?.message).toContain('nowhere.yaml: cannot be read');
    expect(problems[0]?.line).toBeUndefined();
  });
});

describe('a file without problems', () => {
  it('is resolved with every default', async () => {
    const config = await loadConfig(write('proxies: [{ target: "tcp://127.0.0.1:5900" }]\n'));
    expect(config.log).toEqual({ format: 'auto', level: 'info', opened: false, every: 0, redact: [] });
    expect(config.proxies[0]).toMatchObject({ listen: [{ host: '127.0.0.1', port: 8080 }], keepAlive: 30_000 });
  });

  it('may have balancers, with or without proxies', async () => {
    const config = await loadConfig(write('balancers: [{ backends: ["WS://A:80/x", { url: "ws://b:1", id: b }] }]\n'));
    expect(config.proxies).toEqual([]);
    expect(config.balancers[0]).toMatchObject({
      backends: [
        { id: 'ws://a/x', url: 'WS://A:80/x', weight: 1, capacity: 0, tags: [], bindings: [] },
        { id: 'b', url: 'ws://b:1' },
      ],
      policy: 'least-connections',
    });
    const { name: _name, ...options } = config.balancers[0]!;
    expect(resolveBalancerOptions(options)).toEqual({ ...options, target: undefined, warmConnections: 0 });
  });

  it.each([
    ['control: { path: /control, tokens: [a-secret-of-16-chars] }'],
    ['listen: { port: 1, role: control }'],
    ['discovery: { names: [ws://a.internal:1] }'],
    ['admin: { listen: 1 }'],
  ])('may leave backends out when they come by %s', async (source) => {
    expect(await checkConfig(write(`balancers:\n  - ${source}\n`))).toEqual([]);
  });

  it('may share settings with anchors', async () => {
    const text = `proxies:
  - &base { listen: 80, target: 'tcp://a:1', keepAlive: 1m }
  - { <<: *base, listen: 81 }
`;
    const config = await loadConfig(write(text));
    expect(config.proxies.map(({ keepAlive }) => keepAlive)).toEqual([60_000, 60_000]);
  });

  it('names files relative to its own folder', async () => {
    write('-----BEGIN CERTIFICATE-----\n', 'ca.pem');
    const config = await loadConfig(write('proxies: [{ target: "tls://a:1", upstreamTls: { ca: ca.pem } }]\n'));
    expect(config.proxies[0]?.upstreamTls.ca).toBe('-----BEGIN CERTIFICATE-----\n');
  });
});

describe('the JSON Schema', () => {
  it('takes what the loader takes and refuses an unknown option', () => {
    const schema = z.fromJSONSchema(jsonSchema() as Parameters<typeof z.fromJSONSchema>[0]);
    expect(schema.safeParse({ proxies: [{ target: 'tcp://a:1', timeouts: { idle: '10m' } }] }).success).toBe(true);
    expect(schema.safeParse({ proxies: [{ target: 'tcp://a:1', timeouts: { idel: '10m' } }] }).success).toBe(false);
    expect(schema.safeParse({ proxies: [{}] }).success).toBe(false);
    expect(schema.safeParse({ balancers: [{ backends: ['ws://a:1', { url: 'ws://b:1' }] }] }).success).toBe(true);
    expect(schema.safeParse({ balancers: [{ backends: [{ uri: 'ws://b:1' }] }] }).success).toBe(false);
  });

  it('holds no keyword that JSON Schema does not know', () => {
    expect(JSON.stringify(jsonSchema())).not.toContain('"option"');
  });
});
