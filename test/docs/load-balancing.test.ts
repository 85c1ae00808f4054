/** Owns that what the guide to load balancing names is there under that name, with the default that it tells. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POLICY_NAMES } from '../../src/actors/selection/create-policy.js';
import { ERRORS } from '../../src/index.js';
import { balancerOptionsSchema } from '../../src/server/config/balancer/options.js';
import { parseDuration } from '../../src/server/config/units.js';
import { walkOptions } from '../../src/server/config/walk.js';

const guide = readFileSync(new URL('../../docs/guide/load-balancing.md', import.meta.url), 'utf8');
const options = new Map(walkOptions(balancerOptionsSchema).map((entry) => [entry.path, entry]));
/** An event, and no option. */
const EVENT = 'http.request';
const groups = [...options.values()].filter(({ kind }) => kind === 'group').map(({ path }) => path);

describe('docs/guide/load-balancing.md', () => {
  it('names options that there are', () => {
    const named = [...guide.matchAll(/`([a-z]\w+)\.([a-z]\w+)[`:]/gi)].filter(([, group]) => groups.includes(group!));
    expect(named.length).toBeGreaterThan(30);
    expect(
      named.map(([, group, name]) => `${group}.${name}`).filter((path) => path !== EVENT && !options.has(path)),
    ).toEqual([]);
  });

  it('tells the defaults that they have', () => {
    const told = [...guide.matchAll(/`(\w+\.\w+)` \((\d[\d.]*)(?: (ms|s|m))?\)/g)];
    expect(told.length).toBeGreaterThan(12);
    for (const [, path, number, unit] of told) {
      const { default: value } = options.get(path!)!;
      const isDuration = unit !== undefined;
      expect(isDuration ? parseDuration(value) : value, path).toBe(
        isDuration ? parseDuration(`${number}${unit}`) : Number(number),
      );
    }
  });

  it('lists every policy, and no other', () => {
    const [, section = ''] = guide.split('## Who gets the next client');
    const listed = [...section.split('\n## ')[0]!.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== 'policy').sort()).toEqual([...POLICY_NAMES].sort());
  });

  it('names error codes that there are', () => {
    const codes = [...guide.matchAll(/`([A-Z][A-Z_]{4,})`/g)].map(([, code]) => code!);
    expect(codes.length).toBeGreaterThan(1);
    expect(codes.filter((code) => !Object.hasOwn(ERRORS, code) && !code.startsWith('TIDEGATE_'))).toEqual([]);
  });
});
