/** Owns what holds for the first bytes of any connection: an answer never changes with what comes later, and one comes soon. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { classifyFirstBytes } from '../../../src/protocol/first-bytes.js';
import { HeadFinder, parseRequestHead } from '../../../src/protocol/http-head.js';

const words = fc.constantFrom(
  'GET ',
  'PRI * HTTP/2.0\r\n',
  '\r\n',
  'PROXY ',
  '\r\n\r\n\0\r\nQUIT\n',
  '\x16\x03',
  '/',
  '*',
  'a',
  ' ',
);
const bytes = fc
  .tuple(fc.array(words, { maxLength: 4 }), fc.uint8Array({ maxLength: 80 }))
  .map(([beginning, rest]) => Buffer.concat([Buffer.from(beginning.join(''), 'latin1'), rest]));

it('an answer stays the same whatever comes behind', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      let known: string | undefined;
      for (let end = 0; end <= input.length; end += 1) {
        const kind = classifyFirstBytes(input.subarray(0, end));
        if (known !== undefined) expect(kind).toBe(known);
        known = kind;
      }
    }),
  );
});

it('what is read as a request is never told to be anything but HTTP', () => {
  const line = fc.tuple(
    fc.constantFrom('GET', 'POST', 'BREW', 'M-SEARCH', 'PRI', 'PROXY'),
    fc.constantFrom('/', '/x?y', 'http://h/x'),
    fc.constantFrom('1.1', '1.0', '2.0'),
  );
  fc.assert(
    fc.property(line, fc.boolean(), ([method, target, version], blank) => {
      const text = `${blank ? '\r\n' : ''}${method} ${target} HTTP/${version}\r\nHost: h\r\n\r\n`;
      const finder = new HeadFinder();
      finder.find(Buffer.from(text));
      expect(finder.fault).toBeUndefined();
      expect(parseRequestHead(text.slice(finder.skipped))).not.toHaveProperty('fault');
      const kind = classifyFirstBytes(Buffer.from(text));
      // Two words belong to others: no request may have them as its method.
      const taken = !blank && (method === 'PROXY' || method === 'PRI');
      if (taken) expect(['proxy', 'http2', 'unknown']).toContain(kind);
      else if (method !== 'PRI' || !blank) expect(kind).toBe('http');
    }),
  );
});
