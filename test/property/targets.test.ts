/** Owns that an address is judged as what it is, in every way to write it that a target may be written in. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isForbidden, isPublic } from '../../src/server/dial/address-range.js';
import { parseTarget } from '../../src/server/dial/target.js';
import { TargetGuard } from '../../src/server/dial/target-guard.js';

const byte = fc.integer({ min: 0, max: 255 });
/** Most of them where it matters. */
const address = fc.oneof(
  fc.tuple(byte, byte, byte, byte),
  fc.tuple(
    fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 224, 255),
    fc.constantFrom(0, 16, 64, 168, 254, 255),
    byte,
    byte,
  ),
);

const number = (value: number, base: number): string =>
  base === 16 ? `0x${value.toString(16)}` : base === 8 ? `0${value.toString(8)}` : `${value}`;

const FULLWIDTH = (text: string): string =>
  text.replaceAll(/[0-9]/g, (digit) => String.fromCharCode(0xff10 + Number(digit)));

/** Ways to write an IPv4 address: fewer parts, other bases, other digits, and inside of IPv6. */
function writtenAs([a, b, c, d]: readonly number[], bases: readonly number[], parts: number, form: number): string {
  const groups = [
    [((a! * 256 + b!) * 256 + c!) * 256 + d!],
    [a!, (b! * 256 + c!) * 256 + d!],
    [a!, b!, c! * 256 + d!],
    [a!, b!, c!, d!],
  ][parts - 1]!;
  const text = groups.map((group, at) => number(group, bases[at]!)).join('.');
  const high = (a! * 256 + b!).toString(16);
  const low = (c! * 256 + d!).toString(16);
  const plain = `${a}.${b}.${c}.${d}`;
  const forms = [
    text,
    `${text}.`,
    FULLWIDTH(text),
    text.replaceAll('.', '。'),
    `[::ffff:${plain}]`,
    `[::FFFF:${high}:${low}]`,
  ];
  return [...forms, `[64:ff9b::${high}:${low}]`, `[2002:${high}:${low}::]`, `[0:0:0:0:0:ffff:${high}:${low}]`][form]!;
}

const written = fc.tuple(
  address,
  fc.array(fc.constantFrom(8, 10, 16), { minLength: 4, maxLength: 4 }),
  fc.integer({ min: 1, max: 4 }),
  fc.integer({ min: 0, max: 8 }),
);

function isAllowed(guard: TargetGuard, host: string): boolean {
  try {
    guard.checkTarget(parseTarget(`tcp://${host}:80`));
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'TARGET_DENIED' });
    return false;
  }
}

it('an IPv4 address is judged the same however it is written', () => {
  const byDefault = new TargetGuard({ deny: [] });
  const wildcard = new TargetGuard({ allow: ['*'], deny: [] });
  fc.assert(
    fc.property(written, ([bytes, bases, parts, form]) => {
      const plain = bytes.join('.');
      const host = writtenAs(bytes, bases, parts, form);
      expect(isAllowed(byDefault, host)).toBe(!isForbidden(plain));
      expect(isAllowed(wildcard, host)).toBe(isPublic(plain));
      expect(isAllowed(new TargetGuard({ deny: [plain] }), host)).toBe(false);
      expect(isAllowed(new TargetGuard({ allow: [plain], deny: [] }), host)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it('whatever is a target, its host is an address in the one form that is judged, or no address at all', () => {
  const text = fc.string({ unit: fc.constantFrom(...'0123456789abcdefxX.:[]%１２。-'), maxLength: 20 });
  fc.assert(
    fc.property(text, (host) => {
      let target: ReturnType<typeof parseTarget>;
      try {
        target = parseTarget(`tcp://${host}:80`);
      } catch {
        return;
      }
      if (target.kind !== 'tcp') return;
      expect(target.family).toBe(isIP(target.host));
      // Nothing that a resolver might read as a number.
      if (target.family === 0) expect(target.host).not.toMatch(/(^|\.)(0x[0-9a-f]*|\d+)\.?$/i);
    }),
    { numRuns: 5000 },
  );
});
