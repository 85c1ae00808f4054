/** Owns what comes of every case when a client sends it, on each way through a server (RFC 6455 and RFC 7692). */
import { afterAll, describe, expect, it } from 'vitest';
import { WAYS } from '../fault/way.js';
import { casesOn } from './cases/table.js';
import { Expected } from './expected.js';
import { contradictions, showOutcome } from './judge.js';
import { Rig } from './run-case.js';

describe.each(WAYS)('on the way "%s", from the client', (way) => {
  const rig = new Rig(way);
  const expected = new Expected(`from-the-client/${way}`);
  afterAll(() => rig.stop());

  for (const one of casesOn(way, 'client')) {
    it(`${one.id}: ${one.title}`, async () => {
      const outcome = await rig.run(one, 'client');
      const shown = showOutcome(outcome);
      const checkedIn = expected.noted(one.id, shown);
      expect(contradictions(one, way, 'client', outcome), shown).toEqual([]);
      expect(shown).toBe(checkedIn);
    });
  }

  it('every expected result belongs to a case', () => {
    expect(expected.finish()).toEqual([]);
  });
});
