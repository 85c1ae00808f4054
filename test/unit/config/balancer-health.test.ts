/** Owns which health checks an operator may ask for, and what is said about those that cannot be. */
import { describe, expect, it } from 'vitest';
import { resolveBalancerOptions } from '../../../src/server/config/balancer/options.js';

function problemOf(input: unknown): string {
  try {
    resolveBalancerOptions(input);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the options were taken');
}

describe('health.check', () => {
  it.each(['http', 'websocket'])('%s is refused beside backends that are byte streams', (check) => {
    for (const url of ['tcp://10.0.0.1:5900', 'tls://10.0.0.1:5900', 'unix:/run/app.sock']) {
      expect(problemOf({ backends: [url], health: { check } })).toBe(
        `health.check: got ${JSON.stringify(check)}; expected 'tcp' or 'off' beside backends that are tcp:, tls: or unix:`,
      );
    }
  });

  it.each(['off', 'tcp', 'http', 'websocket'] as const)('%s is taken for WebSocket backends', (check) => {
    expect(resolveBalancerOptions({ backends: ['ws://10.0.0.1'], health: { check } }).health.check).toBe(check);
  });
});

describe('health.path', () => {
  it.each(['health', 'http://10.0.0.1/', '/with space', '/a\r\nb: c', ''])('is refused when it is %j', (path) => {
    expect(problemOf({ health: { path } })).toContain('health.path: got ');
  });

  it('may have a query', () => {
    expect(resolveBalancerOptions({ health: { path: '/health?deep=1' } }).health.path).toBe('/health?deep=1');
  });
});
