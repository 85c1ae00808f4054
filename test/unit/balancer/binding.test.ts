/** Owns which address of a backend is chosen, and how it is put together with what a client asked for. */
import { expect, it } from 'vitest';
import { addressFor, assertBinding, chooseBinding } from '../../../src/server/balancer/redirect/binding.js';

const backend = (url: string, ...bindings: string[]) => ({
  id: 'a',
  url,
  bindings,
  weight: 1,
  capacity: 0,
  tags: [],
  source: 'config' as const,
});

it('is the first of the scheme by which the client came, then the first that speaks WebSocket', () => {
  const both = backend('ws://inside', 'ws://one', 'wss://two', 'wss://three');
  expect([chooseBinding(both, true), chooseBinding(both, false)]).toEqual(['wss://two', 'ws://one']);
  const plain = backend('wss://inside', 'tcp://x:1', 'ws://one');
  expect(chooseBinding(plain, true)).toBe('ws://one');
  expect(chooseBinding(backend('ws://inside'), true)).toBe('ws://inside');
  expect(chooseBinding(backend('tcp://inside:1'), false)).toBeUndefined();
  expect(chooseBinding(backend('ws://inside', 'tcp://x:1'), false)).toBeUndefined();
});

it.each([
  ['ws://a', '/x?y=1', 'ws://a/x?y=1'],
  ['ws://a:80/', '/', 'ws://a/'],
  ['wss://a:444/base', '/x?y=1', 'wss://a:444/base?y=1'],
  ['ws://a/base?k=v', '/x?y=1', 'ws://a/base?k=v'],
  ['ws://[::1]:90', '/x', 'ws://[::1]:90/x'],
  ['ws://a', 'http://evil.example/x?y', 'ws://a/x?y'],
  ['ws://a', '//evil.example/x', 'ws://a//evil.example/x'],
  ['ws://a', '/x#part', 'ws://a/x'],
  ['ws://a', '/ä"<>\u007f', 'ws://a/%C3%A4%22%3C%3E%7F'],
])('%s for a client that asked for %s is %s', (binding, asked, address) => {
  expect(addressFor(binding, asked)).toBe(address);
});

it('takes from an application what a WebSocket client can open, and nothing else', () => {
  expect(assertBinding('WSS://A.example')).toBe('wss://a.example/');
  expect(assertBinding(new URL('ws://a/x'))).toBe('ws://a/x');
  for (const wrong of ['a', 'https://a', 'ws://', 'ws://a/#x', 'ws://u:p@a', '', 7, null, {}]) {
    expect(() => assertBinding(wrong)).toThrow(expect.objectContaining({ code: 'HOOK_FAILED' }));
  }
  const secret = 'http://user:secret@a.example/x?token=secret#secret';
  expect(() => assertBinding(secret)).toThrow(/^onBeforeBinding gave "http:\/\/a\.example\/x"; expected (?!.*secret)/);
});
