/** Owns what the options of a proxy take, what they resolve to, and what is said about a wrong one. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TidegateError } from '../../../src/receivers/errors.js';
import { balancerOptionsSchema } from '../../../src/server/config/balancer/options.js';
import { formatListen, parseListenText } from '../../../src/server/config/listen.js';
import { logSchema } from '../../../src/server/config/log.js';
import { proxyOptionsSchema, resolveProxyOptions } from '../../../src/server/config/options.js';
import { walkOptions } from '../../../src/server/config/walk.js';
import { ProxyServer } from '../../../src/server/proxy-server.js';

function problemOf(input: unknown): string {
  try {
    resolveProxyOptions(input);
  } catch (error) {
    expect(error).toBeInstanceOf(TidegateError);
    expect((error as TidegateError).code).toBe('INVALID_OPTION');
    return (error as TidegateError).message;
  }
  throw new Error('the options were taken');
}

describe('resolved options', () => {
  it('have every default', () => {
    expect(resolveProxyOptions({})).toEqual({
      admin: {},
      inspection: { history: 12, ended: 100 },
      recording: {
        rules: [],
        maxRecordings: 16,
        maxFileBytes: 16_777_216,
        maxFiles: 64,
        bufferBytes: 1_048_576,
        payloads: true,
        maxPayloadBytes: 1_048_576,
        redact: [],
        redactHeaders: [],
        redactQuery: [],
      },
      tracing: { enabled: true },
      listen: [{ host: '127.0.0.1', port: 8080 }],
      targets: { deny: [] },
      dialDirect: [],
      sendProxyProtocol: 'off',
      forwardedHeaders: 'x-forwarded',
      hostHeader: 'target',
      connectUpstream: 'before-accept',
      requireOrigin: false,
      noSubprotocol: 'first',
      fragments: 'buffer',
      frameType: 'binary',
      halfClose: false,
      warmConnections: 0,
      compression: false,
      passCompression: true,
      heartbeat: { interval: 30_000, timeout: 30_000, mode: 'always' },
      admission: {
        allow: [],
        deny: [],
        exempt: ['loopback'],
        rate: { perAddress: 200, total: 0, burst: 10_000 },
        bans: { threshold: 100, halfLife: 60_000, duration: 60_000, maxDuration: 3_600_000, memory: 86_400_000 },
      },
      trustedProxies: [],
      forwardedHeader: 'x-forwarded-for',
      limits: {
        maxConnections: 100_000,
        reservedConnections: 0,
        overflow: 'refuse',
        maxConnectionsPerAddress: 10_000,
        maxConnectionsPerUser: 0,
        maxPendingHandshakes: 10_000,
        maxHandshakeBytes: 16_384,
        maxHeaderCount: 100,
        maxMessageBytes: 67_108_864,
        maxFragments: 16_384,
        messagesPerSecond: 0,
        bytesPerSecond: 0,
        floodBurst: 1000,
        floodGrace: 5000,
        highWaterMark: 65_536,
        lowWaterMark: 16_384,
        maxQueuedBytes: 16_777_216,
        maxHeldBytes: 1_073_741_824,
        maxPendingMessages: 16,
        maxConcurrentDials: 256,
        disconnectsPerSecond: 2000,
      },
      outbound: { priorities: { text: 1, binary: 1, ping: 0 }, overflow: 'reject' },
      throttle: { read: 0, write: 0 },
      timeouts: {
        handshake: 15_000,
        dial: 10_000,
        dialAttempt: 250,
        close: 10_000,
        idle: 0,
        lifetime: 0,
        lifetimeJitter: 0.1,
        writeStall: 60_000,
        drain: 15_000,
        pressureDwell: 20,
      },
      keepAlive: 30_000,
      watchdog: { enabled: true, interval: 5000, attempts: 0, selfProbe: { enabled: false, timeout: 5000 } },
      io: 'auto',
      socket: { backlog: 511, exclusive: false, reusePort: false, ipv6Only: false, noDelay: true },
      upstreamTls: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
    });
  });

  it.each([
    [8080, [{ host: undefined, port: 8080 }]],
    ['0', [{ host: undefined, port: 0 }]],
    ['localhost:80', [{ host: 'localhost', port: 80 }]],
    ['[::1]:80', [{ host: '::1', port: 80 }]],
    [{ port: '80' }, [{ host: undefined, port: 80 }]],
    [
      [80, { host: '::', port: 81 }],
      [
        { host: undefined, port: 80 },
        { host: '::', port: 81 },
      ],
    ],
  ])('listen on %j', (listen, expected) => expect(resolveProxyOptions({ listen }).listen).toEqual(expected));

  it('fill in defaults that follow another option', () => {
    expect(resolveProxyOptions({ heartbeat: { interval: '5s' } }).heartbeat.timeout).toBe(5000);
    expect(resolveProxyOptions({ limits: { highWaterMark: '1KiB' } }).limits.lowWaterMark).toBe(1024);
  });

  it('make an object of compression that is turned on', () => {
    const all = {
      threshold: 1024,
      level: undefined,
      clientNoContextTakeover: true,
      serverNoContextTakeover: true,
      maxWindowBits: 15,
    };
    expect(resolveProxyOptions({ compression: true }).compression).toEqual(all);
    expect(resolveProxyOptions({ compression: { level: 3 } }).compression).toEqual({ ...all, level: 3 });
  });

  it('leave out what code gives beside the schema, when told its name', () => {
    const options = { target: 'tcp://a:1', receiver: () => ({}) };
    expect(resolveProxyOptions(options, ['receiver'])).not.toHaveProperty('receiver');
    expect(problemOf(options)).toBe('unknown option receiver: there is no such option');
  });
});

describe('a wrong option is named with what it got and what would be right', () => {
  it.each([
    [{ limits: { maxConnections: 'abc' } }, 'limits.maxConnections: got "abc"; expected a whole number from 0'],
    [{ maxConnections: 5 }, 'unknown option maxConnections: did you mean limits.maxConnections?'],
    [{ limits: { maxConections: 5 } }, 'unknown option limits.maxConections: did you mean limits.maxConnections?'],
    [{ timeouts: { idle_timeout: 5 } }, 'unknown option timeouts.idle_timeout: there is no such option'],
    [{ timeouts: { write_stall: 5 } }, 'unknown option timeouts.write_stall: did you mean timeouts.writeStall?'],
    [{ listen: 'foo' }, 'listen: got "foo"; expected a port (0 to 65535)'],
    [{ listen: 65_536 }, 'listen: got 65536; expected a port'],
    [{ listen: [] }, 'listen: got []; expected a port'],
    [{ listen: [80, { port: 99_999 }] }, 'listen[1].port: got 99999; expected a port from 0 to 65535'],
    [
      { listen: { port: 80, tls: { key: '/nowhere', cert: '/nowhere' } } },
      'listen.tls.cert: got "/nowhere"; expected PEM text or the name',
    ],
    [{ listen: { port: 80, tls: {} } }, 'listen.tls: got a value of type object; expected `cert` and `key`'],
    [{ target: 'http://a' }, 'target: got "http://a"; expected ws://host:port/path'],
    [{ timeouts: { dial: 0 } }, 'timeouts.dial: got 0; expected milliseconds'],
    [{ timeouts: { idle: '99d' } }, 'timeouts.idle: got "99d"; expected milliseconds'],
    [{ timeouts: { lifetimeJitter: 2 } }, 'timeouts.lifetimeJitter: got 2; expected a number from 0 to 1'],
    [{ limits: { highWaterMark: 10, lowWaterMark: 11 } }, 'limits.lowWaterMark: got 11; expected at most limits.high'],
    [{ heartbeat: { timeout: 0 } }, 'heartbeat.timeout: got 0; expected at least 1 ms while the heartbeat is on'],
    [{ compression: { level: 12 } }, 'compression.level: got 12; expected a whole number from 1 to 9'],
    [{ compression: 7 }, 'compression: got 7; expected true, false or an object'],
    [{ noSubprotocol: 'x' }, `noSubprotocol: got "x"; expected 'first' or 'omit' or 'reject'`],
    [{ subprotocols: ['a b'] }, 'subprotocols[0]: got "a b"; expected the name of a subprotocol'],
    [
      { upstreamTls: { ca: '/nowhere' } },
      'upstreamTls.ca: got "/nowhere"; expected PEM text or the name of a readable',
    ],
    [{ limits: 7 }, 'limits: got 7; expected an object'],
    [null, 'the options: got null; expected an object with options'],
  ])('%j', (input, message) => expect(problemOf(input)).toContain(message));

  it('and so is every further one', () => {
    expect(problemOf({ halfClose: 'x', keepAlive: 'y' }).split('\n')).toHaveLength(2);
  });

  it('without a password or a key in the message', () => {
    expect(problemOf({ target: 'ws://user:hunter2@a/' })).not.toContain('hunter2');
    const key = `-----BEGIN PRIVATE KEY-----\nsecret${'x'.repeat(200)}`;
    expect(problemOf({ listen: { port: 1, tls: { key, cert: key } } })).not.toContain('secret');
    const upstreamTls = { passphrase: 'hunter2', key: { cert: 'hunter2' } };
    expect(problemOf({ limits: [{ upstreamTls, authentication: 'hunter2' }] })).not.toContain('hunter2');
  });
});

describe('properties', () => {
  const duration = fc.oneof(
    fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    fc.tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom('ms', 's', 'm', 'h')).map(([n, unit]) => `${n}${unit}`),
  );
  const valid = fc.record(
    {
      listen: fc.oneof(fc.integer({ min: 0, max: 65_535 }), fc.constantFrom('[::1]:0', 'a:1'), fc.constant([1, 'b:2'])),
      target: fc.constantFrom('ws://a/b?c', 'tcp://[::1]:1', 'unix:/x'),
      compression: fc.oneof(fc.boolean(), fc.record({ level: fc.integer({ min: 1, max: 9 }) })),
      heartbeat: fc.record({ interval: duration, timeout: duration }, { requiredKeys: [] }),
      limits: fc.record({ highWaterMark: fc.integer({ min: 1, max: 1e9 }) }, { requiredKeys: [] }),
      timeouts: fc.record({ dial: duration, idle: duration }, { requiredKeys: [] }),
    },
    { requiredKeys: [] },
  );

  it('a resolved configuration is valid input and resolves to itself', () => {
    fc.assert(
      fc.property(valid, (input) => {
        const once = resolveProxyOptions(input);
        expect(resolveProxyOptions(once)).toEqual(once);
      }),
    );
  });

  // Junk under known names gets past the first check, which junk alone never does.
  const paths = walkOptions(proxyOptionsSchema).map(({ steps }) => steps);
  const junk = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
  });
  const planted = fc
    .tuple(fc.constantFrom(...paths), junk)
    .map(([steps, value]) => steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value));

  it('any input gives a configuration or a TidegateError', () => {
    fc.assert(
      fc.property(fc.oneof(junk, planted), (input) => {
        try {
          expect(resolveProxyOptions(input).listen.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(TidegateError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('so does an object that throws while it is read', () => {
    const hostile = {
      get limits() {
        throw new Error('no');
      },
    };
    expect(problemOf(hostile)).toContain('that can be read (no)');
  });

  it('an address comes back as it was written', () => {
    const host = fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), { nil: undefined });
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, port) => {
        expect(parseListenText(formatListen({ host: name, port }))).toEqual({ host: name, port });
      }),
    );
  });
});

describe('definitions', () => {
  it.each([
    ['a proxy', proxyOptionsSchema],
    ['a balancer', balancerOptionsSchema],
  ])('give every flag and environment variable of %s one meaning', (_, schema) => {
    const flags = [...walkOptions(schema), ...walkOptions(logSchema)].flatMap(({ flag }) => flag ?? []);
    expect(flags.filter((flag, index) => flags.indexOf(flag) !== index)).toEqual([]);
    expect(flags.filter((flag) => flag.startsWith('no-'))).toEqual([]);
  });

  it('call what proxies and balancers both have the same', () => {
    const flagsOf = (schema: Parameters<typeof walkOptions>[0]) =>
      new Map(walkOptions(schema).flatMap(({ flag, path }) => (flag === undefined ? [] : [[flag, path]])));
    const proxy = flagsOf(proxyOptionsSchema);
    for (const [flag, path] of flagsOf(balancerOptionsSchema)) expect([path, undefined]).toContain(proxy.get(flag));
  });

  it('say in the doc comment that editors show what they say in the reference', () => {
    const folder = new URL('../../../src/server/config/', import.meta.url);
    const source = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('\n');
    const comments = new Set([...source.matchAll(/^ *\/\*\* (.*) \*\/$/gm)].map((match) => match[1]));
    for (const { path, description } of [...walkOptions(proxyOptionsSchema), ...walkOptions(balancerOptionsSchema)]) {
      expect(comments, path).toContain(description);
    }
  });
});

describe('hooks', () => {
  it('are refused by name when they cannot be called', () => {
    expect(() => new ProxyServer({ target: 'tcp://127.0.0.1:1', receiver: 5 as never })).toThrow(
      'receiver: got number; expected a function',
    );
  });
});

it('a place for the admin API that is no safe integer is told as any other wrong one', () => {
  const wrong = () => resolveProxyOptions({ admin: { listen: 2 ** 53 } });
  expect(wrong).toThrow(/^admin\.listen: got 9007199254740992; [^\n]+$/);
});
