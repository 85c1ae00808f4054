/** Holds that any file is either a configuration or a list of problems in words of its own, and never a failure of ours. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { examineConfig } from '../../src/server/config/load.js';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const junk = fc.oneof(
  fc.constantFrom(null, true, -1, 1.5, 99999, '', 'abc', '8080', 'http://x', 'tcp://a:1', '5x', [], {}, [[]], [{}]),
  fc.jsonValue({ maxDepth: 2 }),
);
const options = fc.record(
  {
    name: junk,
    listen: fc.oneof(
      fc.constantFrom<unknown>(8080, '[::1]:1', [1, 2], { port: 3 }),
      fc.array(junk, { maxLength: 3 }),
      junk,
    ),
    target: fc.oneof(fc.constant('tcp://127.0.0.1:1'), junk),
    limits: fc.oneof(fc.record({ maxMessageBytes: junk, highWaterMark: junk, lowWaterMark: junk }), junk),
    timeouts: fc.oneof(fc.record({ idle: junk, lifetimeJitter: junk }), junk),
    heartbeat: fc.oneof(fc.record({ interval: junk, mode: junk }), junk),
    compression: junk,
    subprotocols: junk,
    upstreamTls: fc.oneof(fc.record({ ca: junk }), junk),
  },
  { requiredKeys: [] },
);
// Wrong in few places: later checks run on what earlier ones let through.
const nearlyRight = fc.record({ listen: fc.oneof(fc.constant(8080), junk), target: fc.constant('tcp://127.0.0.1:1') });
const proxies = fc.oneof(
  fc.array(nearlyRight, { minLength: 1, maxLength: 2 }),
  fc.array(fc.oneof(options, junk), { maxLength: 3 }),
  junk,
);
const backend = fc.oneof(
  fc.constantFrom<unknown>('ws://a:1', 'WSS://b/x', { url: 'ws://c:1', id: 'c' }, 'tcp://d:1', { id: 'e' }),
  fc.record({ url: junk, id: junk, weight: junk, capacity: junk, tags: junk, bindings: junk }, { requiredKeys: [] }),
  junk,
);
const balancer = fc.record(
  {
    name: junk,
    listen: fc.oneof(fc.constantFrom<unknown>(8080, { port: 3, role: 'control' }), junk),
    backends: fc.oneof(fc.array(backend, { maxLength: 3 }), fc.constant(['ws://a:1']), junk),
    admin: fc.oneof(fc.record({ listen: junk, token: junk }, { requiredKeys: [] }), junk),
    control: fc.oneof(fc.record({ path: junk, tokens: junk }, { requiredKeys: [] }), junk),
    affinity: fc.oneof(fc.record({ by: junk, secret: junk }, { requiredKeys: [] }), junk),
    policy: junk,
    health: fc.oneof(fc.record({ check: junk, interval: junk }, { requiredKeys: [] }), junk),
  },
  { requiredKeys: [] },
);
const nearlyBalancing = fc.record({
  listen: fc.oneof(fc.constant(8080), junk),
  backends: fc.array(backend, { maxLength: 2 }),
});
const balancers = fc.oneof(
  fc.array(nearlyBalancing, { maxLength: 2 }),
  fc.array(fc.oneof(balancer, junk), { maxLength: 2 }),
  junk,
);
const files = fc.oneof(
  fc.record({ proxies }),
  fc.record({ balancers }),
  fc.record({ proxies, balancers, log: junk }, { requiredKeys: [] }),
  junk,
);

it('any file is a configuration, or problems that name a place in it', async () => {
  const path = join(folder, 'any.json');
  await fc.assert(
    fc.asyncProperty(files, async (content) => {
      writeFileSync(path, JSON.stringify(content, null, 2));
      const { config, problems } = await examineConfig(path);
      expect(config === undefined).toBe(problems.length > 0);
      for (const problem of problems) {
        expect(problem.message).not.toMatch(/is not a function|is not iterable|Cannot read prop|undefined|\[object/);
        expect(problem.message.startsWith(`${path}:`)).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
}, 60_000);
