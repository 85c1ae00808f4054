/** Owns how names that stand for backends are written, and what is said about those that cannot be resolved. */
import { describe, expect, it } from 'vitest';
import { parseDiscoveryName } from '../../../src/server/balancer/discovery/discovery-name.js';
import { resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';

function problemOf(input: unknown): string {
  try {
    resolveBalancerOptions(input);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the options were taken');
}

describe('a name', () => {
  it.each([
    ['ws://app.internal:9000/path?x=1', { by: 'address', scheme: 'ws', port: 9000, path: '/path?x=1' }],
    ['wss://app.internal', { by: 'address', scheme: 'wss', port: 443, path: '' }],
    ['tcp://app.internal:5900', { by: 'address', scheme: 'tcp', port: 5900, path: '' }],
    ['tls://app.internal:5900', { by: 'address', scheme: 'tls', port: 5900, path: '' }],
    ['srv+ws://app.internal/path', { by: 'service', scheme: 'ws', port: 0, path: '/path' }],
    ['SRV+WSS://App.Internal', { by: 'service', scheme: 'wss', port: 0, path: '' }],
    ['srv+tcp://app.internal', { by: 'service', scheme: 'tcp', port: 0, path: '' }],
  ])('may be %s', (text, meaning) => {
    expect(parseDiscoveryName(text)).toEqual({ text, host: 'app.internal', ...meaning });
  });

  it.each([
    ['', 'write ws://host'],
    ['app.internal:9000', 'is not known'],
    ['http://app.internal', 'use ws: instead of http:'],
    ['ws://10.0.0.1:9000', 'it is an address already; put it into `backends`'],
    ['ws://[fd00::1]:9000', 'it is an address already; put it into `backends`'],
    ['srv+ws://10.0.0.1', 'it is an address already; put it into `backends`'],
    ['unix:/run/app.sock', 'a socket file has no name to resolve'],
    ['srv+unix:/run/app.sock', 'a socket file has no name to resolve'],
    ['srv+ws://_ws._tcp.app.internal:80/', 'a service has its port in its records; leave it out'],
    ['tcp://app.internal', 'the port is missing'],
    ['ws://user:secret@app.internal', 'credentials do not belong into a target'],
  ])('may not be %j', (text, why) => {
    const problem = problemOf({ discovery: { names: [text] } });
    expect(problem).toContain('discovery.names[0]: ');
    expect(problem).toContain(why);
  });
});

describe('names', () => {
  it('stand once each', () => {
    const names = ['ws://app.internal:9000/a', 'ws://other.internal:9000', 'ws://app.internal:9000/b'];
    expect(problemOf({ discovery: { names } })).toContain('discovery.names[2]: ');
    expect(problemOf({ discovery: { names } })).toContain('expected each name once');
  });

  it('speak what the first backend speaks', () => {
    const found = { discovery: { names: ['tcp://app.internal:9000'] } };
    expect(problemOf({ ...found, backends: ['ws://10.0.0.1'] })).toContain('discovery.names[0]: ');
    expect(problemOf({ discovery: { names: ['tcp://a.internal:1', 'srv+ws://b.internal'] } })).toContain(
      'discovery.names[1]: ',
    );
    expect(problemOf({ ...found, health: { check: 'http' } })).toContain('health.check: ');
    expect(resolveBalancerOptions(found).discovery.names).toHaveLength(1);
  });
});
