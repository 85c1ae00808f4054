/** Owns what comes of every case when a WebSocket target sends it (RFC 6455 and RFC 7692). */
import { afterAll, describe, expect, it } from 'vitest';
import { WEBSOCKET_WAYS } from '../fault/way.js';
import { casesOn } from './cases/table.js';
import { Expected } from './expected.js';
import { contradictions, showOutcome } from './judge.js';
import { Rig } from './run-case.js';

describe.each(WEBSOCKET_WAYS)('on the way "%s", from the target', (way) => {
  const rig = new Rig(way);
  const expected = new Expected(`from-the-target/${way}`);
  afterAll(() => rig.stop());

  for (const one of casesOn(way, 'target')) {
    it(`${one.id}: ${one.title}`, async () => {
      const outcome = await rig.run(one, 'target');
      const shown = showOutcome(outcome);
      const checkedIn = expected.noted(one.id, shown);
      expect(contradictions(one, way, 'target', outcome), shown).toEqual([]);
      expect(shown).toBe(checkedIn);
    });
  }

  it('every expected result belongs to a case', () => {
    expect(expected.finish()).toEqual([]);
  });
});
