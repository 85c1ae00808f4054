/** Owns that a chain is in order and whole whatever comes and goes, and that nothing that left it holds on to the others. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Chain, type Chained } from '../../../src/actors/chain.js';

class Link implements Chained<Link> {
  before: Link | undefined;
  behind: Link | undefined;
}

describe('Chain', () => {
  it('is what a Set is, whatever is added and deleted in which order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (changes) => {
        const links = Array.from({ length: 21 }, () => new Link());
        const chain = new Chain<Link>();
        const model = new Set<Link>();
        for (const change of changes) {
          const link = links[change]!;
          if (model.has(link)) {
            expect(chain.delete(link)).toBe(model.delete(link));
          } else {
            expect(chain.delete(link)).toBe(false);
            chain.add(link);
            model.add(link);
          }
          expect([...chain]).toEqual([...model]);
          expect(chain.size).toBe(model.size);
          expect(chain.first).toBe([...model][0]);
          for (const one of links) expect(chain.has(one)).toBe(model.has(one));
        }
      }),
    );
  });

  it('leaves a member that was deleted without neighbours, so that it keeps nobody', () => {
    const chain = new Chain<Link>();
    const links = [new Link(), new Link(), new Link()];
    for (const link of links) chain.add(link);
    chain.delete(links[1]!);
    expect(links[1]).toEqual({ before: undefined, behind: undefined });
    expect(chain.clear()).toEqual([links[0], links[2]]);
    for (const link of links) expect(link).toEqual({ before: undefined, behind: undefined });
    expect([...chain]).toEqual([]);
  });

  it('may be changed while it is walked over', () => {
    const chain = new Chain<Link>();
    const links = [new Link(), new Link(), new Link()];
    for (const link of links) chain.add(link);
    const seen: Link[] = [];
    for (const link of chain) {
      seen.push(link);
      for (const other of links) chain.delete(other);
    }
    expect(seen).toEqual(links);
    expect(chain.size).toBe(0);
  });
});
