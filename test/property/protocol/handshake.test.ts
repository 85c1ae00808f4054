import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endToEndHeaders } from '../../../src/protocol/forward-headers.js';
import { acceptKey, checkUpgrade, checkUpgradeResponse } from '../../../src/protocol/handshake.js';

const anyCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) => Array.from(text, (char, at) => (upper[at] ? char.toUpperCase() : char.toLowerCase())).join(''));

const anyKey = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64'));

const otherFields = fc.array(fc.tuple(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[ -~]{0,12}$/)), {
  maxLength: 4,
});

interface Field {
  name: string;
  value: string;
}

/** A valid request: fields in any order and case, others among them, options in lists. */
const validRequest = fc
  .record({ key: anyKey, others: otherFields, upgrade: anyCase('websocket'), connection: anyCase('upgrade') })
  .chain(({ key, others, upgrade, connection }) => {
    const fields = [
      ['Host', 'h:8080'],
      ['Upgrade', upgrade],
      ['Connection', `keep-alive, ${connection}`],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Version', '13'],
      ...others,
    ] as [string, string][];
    return fc
      .tuple(
        fc.shuffledSubarray(fields, { minLength: fields.length }),
        fc.tuple(...fields.map(([name]) => anyCase(name))),
      )
      .map(([shuffled, names]) => ({
        key,
        fields: shuffled.map(([name, value]): Field => {
          const renamed = names.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
          return { name: renamed ?? name, value };
        }),
      }));
  });

const REQUIRED = ['host', 'upgrade', 'connection', 'sec-websocket-key', 'sec-websocket-version'];
const SINGLE = ['host', 'sec-websocket-key', 'sec-websocket-version'];

function request(fields: readonly Field[], line: { method?: string; httpVersion?: string } = {}) {
  return {
    method: 'GET',
    url: '/',
    httpVersion: '1.1',
    ...line,
    rawHeaders: fields.flatMap(({ name, value }) => [name, value]),
  };
}

describe('checkUpgrade', () => {
  it('accepts a valid request in any order and case, and returns its key', () => {
    fc.assert(
      fc.property(validRequest, ({ key, fields }) => {
        expect(checkUpgrade(request(fields))).toEqual({ key });
      }),
    );
  });

  it('refuses it without any one of the fields it needs', () => {
    fc.assert(
      fc.property(validRequest, fc.constantFrom(...REQUIRED), ({ fields }, missing) => {
        const rest = fields.filter(({ name }) => name.toLowerCase() !== missing);
        expect(checkUpgrade(request(rest))).toHaveProperty('error');
      }),
    );
  });

  it('refuses it when a field that may come once comes twice, even with the same value', () => {
    fc.assert(
      fc.property(validRequest, fc.constantFrom(...SINGLE), fc.nat(), ({ fields }, repeated, where) => {
        const copy = fields.find(({ name }) => name.toLowerCase() === repeated)!;
        const changed = fields.toSpliced(where % (fields.length + 1), 0, copy);
        expect(checkUpgrade(request(changed))).toMatchObject({ error: 'BAD_HANDSHAKE', status: 400 });
      }),
    );
  });

  it('refuses it when a character of a value it needs is replaced or added', () => {
    const letters = fc.constantFrom(...'!#-_.:;=/0258azAZ\n\u00a0');
    fc.assert(
      fc.property(
        validRequest,
        fc.constantFrom('upgrade', 'sec-websocket-version', 'sec-websocket-key'),
        fc.nat(),
        letters,
        fc.boolean(),
        ({ fields }, wanted, where, letter, replace) => {
          const changed = fields.map((field) => {
            if (field.name.toLowerCase() !== wanted) return field;
            const at = where % (field.value.length + (replace ? 0 : 1));
            return { ...field, value: field.value.slice(0, at) + letter + field.value.slice(at + (replace ? 1 : 0)) };
          });
          const value = changed.find(({ name }) => name.toLowerCase() === wanted)!.value;
          const stillRight = {
            upgrade: value.toLowerCase() === 'websocket',
            'sec-websocket-version': value === '13',
            'sec-websocket-key':
              Buffer.from(value, 'base64').length === 16 && Buffer.from(value, 'base64').toString('base64') === value,
          };
          fc.pre(!stillRight[wanted as keyof typeof stillRight]);
          expect(checkUpgrade(request(changed))).toHaveProperty('error');
        },
      ),
      { numRuns: 500 },
    );
  });

  it('refuses it with any other method or version of HTTP', () => {
    fc.assert(
      fc.property(
        validRequest,
        fc.string(),
        fc.constantFrom('0.9', '1.0', '2.0', ''),
        ({ fields }, method, httpVersion) => {
          fc.pre(method !== 'GET');
          expect(checkUpgrade(request(fields, { method }))).toMatchObject({ status: 400 });
          expect(checkUpgrade(request(fields, { httpVersion }))).toMatchObject({ status: 400 });
        },
      ),
    );
  });

  it('refuses it with any sign of a body', () => {
    const sign = fc.oneof(
      fc.tuple(anyCase('content-length'), fc.integer({ min: 1 }).map(String)),
      fc.tuple(anyCase('transfer-encoding'), fc.constantFrom('chunked', 'identity', '', 'gzip, chunked')),
    );
    fc.assert(
      fc.property(validRequest, sign, ({ fields }, [name, value]) => {
        expect(checkUpgrade(request([...fields, { name, value }]))).toMatchObject({ error: 'BAD_HANDSHAKE' });
      }),
    );
  });
});

describe('checkUpgradeResponse', () => {
  it('accepts the answer to its own key and to no other', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (key, other) => {
        const rawHeaders = ['upgrade', 'websocket', 'connection', 'upgrade', 'sec-websocket-accept', acceptKey(key)];
        const sent = { subprotocols: [], extensionsOffered: false };
        const response = { statusCode: 101, rawHeaders };
        expect(checkUpgradeResponse(response, { ...sent, key })).toEqual({ subprotocol: '', extensions: '' });
        fc.pre(key !== other);
        expect(checkUpgradeResponse(response, { ...sent, key: other })).toHaveProperty('message');
      }),
    );
  });
});

describe('endToEndHeaders', () => {
  it('keeps every other field of a valid request, in order, and leaves out every field of the handshake', () => {
    fc.assert(
      fc.property(validRequest, ({ fields }) => {
        const kept = fields.filter(({ name }) => name.toLowerCase().startsWith('x-'));
        expect(endToEndHeaders(request(fields).rawHeaders)).toEqual(request(kept).rawHeaders);
      }),
    );
  });
});
