/** Owns that every case is read rightly by the protocol modules alone, however the bytes are cut. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseClosePayload } from '../../src/protocol/close-frame.js';
import { FrameScanner } from '../../src/protocol/frame-scanner.js';
import { applyMask } from '../../src/protocol/mask.js';
import { Utf8Stream } from '../../src/protocol/utf8-stream.js';
import { isCloseCode } from '../../src/receivers/close-code.js';
import { type ConformanceCase, DEVIATIONS } from './cases/case.js';
import { ALL_CASES, sendersOf } from './cases/table.js';
import { readCase } from './pure-reader.js';

const modules = { FrameScanner, applyMask, parseClosePayload, Utf8Stream };
const PAGE = readFileSync(join(import.meta.dirname, '../../docs/reference/conformance.md'), 'utf8');
const SECTIONS = [...new Set(ALL_CASES.map(({ id }) => id.split('/')[0]!))];

/** Large cases are not cut into bytes: that takes a second each, and adds nothing to the small ones. */
function sizesFor({ frames }: ConformanceCase): number[] {
  const bytes = frames.reduce((sum, { payload = '' }) => sum + 14 + payload.length, 0);
  return bytes <= 4000 ? [1, 2, 3, 5, 17, 126, bytes] : [4093, 65_521, bytes];
}

describe.each(SECTIONS)('section %s', (section) => {
  it('every case comes to its verdict, whole and in pieces of every size', () => {
    for (const one of ALL_CASES.filter(({ id }) => id.startsWith(`${section}/`))) {
      for (const sender of sendersOf(one)) for (const size of sizesFor(one)) readCase(modules, one, sender, size);
    }
  });
});

describe('the code of a Close frame', () => {
  it('is one of those of RFC 6455 section 7.4, of all 65 536', () => {
    const wrong: number[] = [];
    for (let code = 0; code <= 0xffff; code += 1) {
      const mayTravel =
        (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
      const read = parseClosePayload(Buffer.of(code >> 8, code & 0xff));
      const isRight = 'error' in read ? !mayTravel && read.code === 1002 : mayTravel && read.code === code;
      if (!isRight || isCloseCode(code) !== mayTravel) wrong.push(code);
    }
    expect(wrong).toEqual([]);
  });
});

describe('the table', () => {
  it('has each id once, with its RFC and section', () => {
    const ids = ALL_CASES.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.filter((id) => !/^(6455|7692)-\d+(\.\d+)*\/[a-z0-9+^-]+$/.test(id))).toEqual([]);
  });

  it('is as docs/reference/conformance.md counts it', () => {
    const rows = [...PAGE.matchAll(/^\| (6455|7692) (\d[\d.]*) \|.*\| (\d+) \|$/gm)];
    const counts = SECTIONS.map((section) => [
      section,
      ALL_CASES.filter(({ id }) => id.startsWith(`${section}/`)).length,
    ]);
    expect(Object.fromEntries(rows.map(([, rfc, section, count]) => [`${rfc}-${section}`, Number(count)]))).toEqual(
      Object.fromEntries(counts),
    );
  });

  it('deviates only for the reasons that are documented', () => {
    const reasons = new Set(ALL_CASES.flatMap(({ deviation }) => deviation?.reason ?? []));
    expect([...reasons].sort()).toEqual(Object.keys(DEVIATIONS).sort());
    for (const heading of Object.values(DEVIATIONS)) expect(PAGE).toContain(`### ${heading}\n`);
  });
});
