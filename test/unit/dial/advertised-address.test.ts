/** Owns which addresses a backend may tell of itself. */
import { describe, expect, it } from 'vitest';
import { problemOfAdvertised, problemOfAdvertisedFrom } from '../../../src/server/dial/advertised-address.js';

describe('an address that is told', () => {
  it.each([
    'ws://10.0.0.7:9000',
    'wss://chat.example.org/x?y=1',
    'ws://[2001:db8::7]:1',
    'tcp://10.0.0.7:1',
    'tls://a:1',
  ])('%s may be one where others reach a backend', (url) => {
    expect(problemOfAdvertised(url)).toBeUndefined();
  });

  it.each([
    'ws://0.0.0.0:1',
    'ws://0.1.2.3:1',
    'ws://0:1',
    'ws://[::]:1',
    'ws://[::ffff:0.0.0.0]:1',
    'ws://224.0.0.1:1',
    'ws://255.255.255.255:1',
    'ws://[ff02::1]:1',
    'ws://169.254.169.254:80',
    'ws://[fe80::1]:1',
  ])('%s leads nowhere', (url) => {
    expect(problemOfAdvertised(url)).toContain('leads nowhere from another machine');
  });

  it.each(['unix:/run/a.sock', 'http://a', 'ws://', 'ws://a:0', 'ws://a:70000', 'ws://u:p@a', '', 'ws://a b'])(
    '%j is none',
    (url) => {
      expect(problemOfAdvertised(url)).toEqual(expect.any(String));
    },
  );

  it('shows no password', () => {
    expect(problemOfAdvertised('ws://user:password@a')).not.toContain('password');
  });

  it('has to be of the scheme that the backends of a balancer have', () => {
    expect(problemOfAdvertised('tcp://a:1', 'websocket')).toContain('expected ws: or wss:');
    expect(problemOfAdvertised('wss://a:1', 'bytes')).toContain('expected tcp: or tls:');
    expect(problemOfAdvertised('tls://a:1', 'bytes')).toBeUndefined();
  });

  it.each(['ws://127.0.0.1:1', 'ws://localhost:1', 'ws://a.localhost:1', 'ws://[::1]:1', 'ws://127.1:1'])(
    '%s is the balancer itself, unless the backend is on its machine',
    (url) => {
      expect(problemOfAdvertisedFrom(url, '10.0.0.7', 'websocket')).toContain('the backend is at 10.0.0.7');
      expect(problemOfAdvertisedFrom(url, '127.0.0.1', 'websocket')).toBeUndefined();
      expect(problemOfAdvertisedFrom(url, '::1', 'websocket')).toBeUndefined();
    },
  );
});
