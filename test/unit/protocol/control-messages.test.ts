/** Owns how control messages are read and written, and how a proof is made. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeProof, type ProofParts, provenToken } from '../../../src/protocol/control/proof.js';
import {
  MAX_CONTROL_BYTES,
  readBackendMessage,
  readBalancerMessage,
  writeControlMessage,
} from '../../../src/protocol/control/read-message.js';

const nonce = 'A'.repeat(22);
const proof = 'p'.repeat(43);
const bindings = ['ws://10.0.0.7:9000'];
const register = { type: 'register', version: 1, id: 'a', nonce, proof, bindings, ready: true } as const;

function faultOf(message: unknown): string {
  const read = readBackendMessage(typeof message === 'string' ? message : JSON.stringify(message));
  if (!('fault' in read)) throw new Error(`was taken: ${JSON.stringify(read)}`);
  return `${read.why}: ${read.fault}`;
}

describe('a message of a backend', () => {
  it.each([
    register,
    { ...register, proof: undefined, weight: 0.5, capacity: 0, tags: ['a'], features: ['messages'] },
    { type: 'load', connections: 0 },
    { type: 'update', weight: 3 },
    { type: 'update' },
    { type: 'ready' },
    { type: 'drain' },
    { type: 'resume' },
    { type: 'leave' },
  ] as const)('%j is what it was when it is read', (message) => {
    expect(readBackendMessage(writeControlMessage(message))).toEqual({
      message: JSON.parse(JSON.stringify(message)),
    });
  });

  it('may have more fields than this version knows, which are left out', () => {
    expect(readBackendMessage('{"type":"load","connections":1,"colour":"blue"}')).toEqual({
      message: { type: 'load', connections: 1 },
    });
  });

  it('may be of a type that this version does not know', () => {
    expect(readBackendMessage('{"type":"colour"}')).toEqual({ unknown: 'colour' });
    expect(readBackendMessage('{"type":"constructor"}')).toEqual({ unknown: 'constructor' });
    expect(readBackendMessage('{"type":"challenge"}')).toEqual({ unknown: 'challenge' });
  });

  it.each([
    ['{', 'malformed: expected a JSON object, got what is no JSON'],
    ['7', 'malformed: expected a JSON object, got 7'],
    [[], 'malformed: expected a JSON object, got a list'],
    [{}, 'malformed: type: expected text, got nothing'],
    [{ type: 'load' }, 'malformed: load: connections: expected a whole number from 0 to 1000000000, got nothing'],
    [
      { type: 'load', connections: 1.5 },
      'malformed: load: connections: expected a whole number from 0 to 1000000000, got 1.5',
    ],
    [
      { type: 'load', connections: -1 },
      'malformed: load: connections: expected a whole number from 0 to 1000000000, got -1',
    ],
    [{ ...register, version: 2 }, 'unsupported: version: expected 1, got 2'],
    [{ ...register, version: '1' }, 'unsupported: version: expected 1, got "1"'],
    [{ ...register, id: 'a b' }, 'malformed: register: id: expected 1 to 128 letters'],
    [{ ...register, id: 'x'.repeat(129) }, 'malformed: register: id: expected 1 to 128 letters'],
    [
      { ...register, nonce: 'short' },
      'malformed: register: nonce: expected 16 to 96 random bytes as base64url, got "short"',
    ],
    [{ ...register, bindings: 'ws://a' }, 'malformed: register: bindings: expected a list of 1 to 16 addresses'],
    [
      { ...register, bindings: Array.from({ length: 17 }, () => 'ws://a') },
      'malformed: register: bindings: expected a list',
    ],
    [{ ...register, bindings: ['ws://a\u0000'] }, 'malformed: register: bindings.0: expected an address'],
    [{ ...register, ready: 'yes' }, 'malformed: register: ready: expected true or false, got "yes"'],
    [{ ...register, weight: 1001 }, 'malformed: register: weight: expected a number above 0, at most 1000, got 1001'],
    [{ ...register, tags: [''] }, 'malformed: register: tags.0: expected a list of at most 64 words'],
    [{ type: 'update', bindings: [] }, 'malformed: update: bindings: expected a list of 1 to 16 addresses'],
  ])('%j is refused with words', (message, text) => {
    expect(faultOf(message)).toContain(text);
  });

  it('never shows a proof in what is said of it', () => {
    expect(faultOf({ ...register, proof: 'my-secret-proof' })).not.toContain('my-secret-proof');
  });

  it('has at most 64 KiB, in bytes and not in characters', () => {
    const of = (bytes: number) => `{"type":"load","connections":1,"x":"${'ü'.repeat((bytes - 38) / 2)}"}`;
    expect(Buffer.byteLength(of(MAX_CONTROL_BYTES))).toBe(MAX_CONTROL_BYTES);
    expect(readBackendMessage(of(MAX_CONTROL_BYTES))).toHaveProperty('message');
    expect(faultOf(of(MAX_CONTROL_BYTES + 2))).toBe('too-large: expected at most 65536 bytes, got 65538');
  });

  it('of any text is read or refused, and nothing throws', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record({ type: fc.constantFrom('register', 'load', 'update', 'command', 'result'), x: fc.anything() })
        .map((value) => JSON.stringify(value)),
      fc.object().map((value) => JSON.stringify({ ...register, ...value })),
    );
    fc.assert(
      fc.property(texts, (text) => {
        for (const read of [readBackendMessage(text), readBalancerMessage(text)]) {
          expect(['message', 'unknown', 'fault'].some((kind) => kind in read)).toBe(true);
          if ('fault' in read) expect(read.fault.length).toBeLessThan(1000);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that is deep is refused, and nothing throws', () => {
    expect(faultOf('['.repeat(60_000))).toContain('no JSON');
    expect(faultOf(`{"type":"update","tags":${'['.repeat(10_000)}${']'.repeat(10_000)}}`)).toContain('malformed');
  });
});

const parts: ProofParts = { balancer: 'b', challenge: 'c'.repeat(22), nonce, id: 'a', bindings };

describe('a proof', () => {
  it('is known by its token, among several', () => {
    const tokens = ['one of them, long enough', 'another one, long enough'];
    for (const token of tokens) {
      expect(provenToken(tokens, 'backend', parts, makeProof(token, 'backend', parts))).toBe(token);
    }
    expect(provenToken(tokens, 'backend', parts, makeProof('a third one', 'backend', parts))).toBeUndefined();
    expect(provenToken([], 'backend', parts, makeProof('a third one', 'backend', parts))).toBeUndefined();
    expect(provenToken(tokens, 'backend', parts, '')).toBeUndefined();
  });

  it('of one side is none of the other', () => {
    const token = 'a token that is long enough';
    expect(provenToken([token], 'balancer', parts, makeProof(token, 'backend', parts))).toBeUndefined();
  });

  it('is for these parts and no others, wherever the lines between them are drawn', () => {
    const line = fc.stringMatching(/^[a-z]{1,3}$/);
    const some = fc.record({
      balancer: line,
      challenge: line,
      nonce: line,
      id: line,
      bindings: fc.array(line, { minLength: 1, maxLength: 3 }),
    });
    fc.assert(
      fc.property(some, some, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        expect(makeProof('t', 'backend', one) === makeProof('t', 'backend', other)).toBe(same);
      }),
    );
  });
});
