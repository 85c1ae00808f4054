/** Owns how the command line runs servers: all or none, ready, drained, ended. The servers here are only played. */
import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { TidegateError } from '../../src/receivers/errors.js';
import { readFlags } from '../../src/server/cli/flags.js';
import { type Servable, serve } from '../../src/server/cli/serve.js';
import { cliProxySchema } from '../../src/server/config/file-schema.js';
import { createLogger } from '../../src/server/telemetry/logger.js';

function play(overrides: Partial<Servable> = {}) {
  const calls: string[] = [];
  const server: Servable = {
    start: async () => {
      calls.push('start');
      return [{ url: 'ws://127.0.0.1:1' }];
    },
    stop: async () => void calls.push('stop'),
    ...overrides,
  };
  return { server, calls };
}

function run(servers: Servable[]) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) };
  const logger = createLogger({ format: 'json', level: 'info', destination });
  const signals = new EventEmitter();
  const reloads: number[] = [];
  const code = serve({
    servers,
    logger,
    signals,
    reload: () => {
      reloads.push(1);
      return { certificates: [] };
    },
  });
  const ready = async () => {
    while (!lines.some(({ event }) => event === 'ready')) await new Promise(setImmediate);
  };
  return { lines, signals, code, ready, reloads };
}

describe('serve', () => {
  it('says ready with every address, drains on SIGTERM and answers 0', async () => {
    const { server, calls } = play();
    const { lines, signals, code, ready } = run([server]);
    await ready();
    expect(lines[0]).toMatchObject({ level: 'info', event: 'ready', addresses: ['ws://127.0.0.1:1'] });
    expect(new Date(String(lines[0]?.time)).toISOString()).toBe(lines[0]?.time);
    signals.emit('SIGTERM');
    expect(await code).toBe(0);
    expect(calls).toEqual(['start', 'stop']);
    expect(lines.map(({ event }) => event)).toEqual(['ready', 'draining', 'stopped']);
    expect(signals.eventNames()).toEqual([]);
  });

  it('ends at once on a second signal', async () => {
    const { server } = play({ stop: () => new Promise(() => {}) });
    const { signals, code, ready } = run([server]);
    await ready();
    signals.emit('SIGINT');
    await new Promise(setImmediate);
    signals.emit('SIGINT');
    expect(await code).toBe(130);
  });

  it('drains when the signal came while it was starting', async () => {
    const { server, calls } = play();
    const { signals, code } = run([server]);
    signals.emit('SIGTERM');
    expect(await code).toBe(0);
    expect(calls).toEqual(['start', 'stop']);
  });

  it('stops what did start when another could not, and answers 1', async () => {
    const { server, calls } = play();
    const start = () => Promise.reject(new TidegateError('ADDRESS_IN_USE', '127.0.0.1:80 is in use'));
    const { lines, code } = run([server, play({ start }).server]);
    expect(await code).toBe(1);
    expect(calls).toEqual(['start', 'stop']);
    expect(lines[0]).toMatchObject({ level: 'error', event: 'start.failed', code: 'ADDRESS_IN_USE' });
    expect(lines[0]?.message).toContain('127.0.0.1:80');
  });

  it('answers 1 when the drain failed', async () => {
    const { signals, code, ready } = run([play({ stop: () => Promise.reject(new Error('stuck')) }).server]);
    await ready();
    signals.emit('SIGTERM');
    expect(await code).toBe(1);
  });

  it('goes on after SIGHUP', async () => {
    const { signals, code, ready, reloads } = run([play().server]);
    await ready();
    signals.emit('SIGHUP');
    await new Promise(setImmediate);
    expect(reloads).toEqual([1]);
    signals.emit('SIGTERM');
    expect(await code).toBe(0);
  });
});

describe('flags', () => {
  const read = (values: Record<string, unknown>, env: Record<string, string> = {}) =>
    readFlags(cliProxySchema, values, env).input;

  it('become nested options', () => {
    expect(read({ heartbeatInterval: '5s', maxConnections: '10', lifetimeJitter: '0.5' })).toEqual({
      heartbeat: { interval: '5s' },
      limits: { maxConnections: 10 },
      timeouts: { lifetimeJitter: 0.5 },
    });
  });

  it('win over the environment, where lists have commas and an empty text is nothing', () => {
    const env = { TIDEGATE_LISTEN: '1, 2', TIDEGATE_KEEP_ALIVE: '1s', TIDEGATE_TARGET: '' };
    expect(read({ keepAlive: '2s' }, env)).toEqual({ listen: ['1', '2'], keepAlive: '2s' });
  });

  it('turn compression on by any of its settings, unless it is off in so many words', () => {
    expect(read({ compression: true })).toEqual({ compression: true });
    expect(read({ compressionLevel: '3' })).toEqual({ compression: { level: 3 } });
    expect(read({ compression: true, compressionLevel: '3' })).toEqual({ compression: { level: 3 } });
    expect(read({ compression: 'false', compressionLevel: '3' })).toEqual({ compression: false });
  });
});

describe('text for people', () => {
  it('has the message on one line', () => {
    const out: string[] = [];
    const logger = createLogger({ format: 'text', level: 'info', destination: { write: (text) => out.push(text) } });
    logger.info({ event: 'ready', addresses: ['ws://127.0.0.1:1'] }, 'listening');
    logger.debug('not this');
    expect(out.join('')).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: listening .*ws:\/\/127\.0\.0\.1:1.*\n$/);
  });
});
