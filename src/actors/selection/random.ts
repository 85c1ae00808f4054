/** Owns the policy `random`, and the draw by weight that others use too. */
import type { Candidate, SelectionContext, SelectionPolicy } from './policy.js';

/** Draws one, as often as its weight says; never `except`. There has to be another one. */
export function draw(
  candidates: readonly Candidate[],
  context: SelectionContext,
  except?: Candidate,
): Candidate | undefined {
  let total = 0;
  for (const candidate of candidates) if (candidate !== except) total += candidate.weight;
  let rest = context.random() * total;
  let drawn: Candidate | undefined;
  for (const candidate of candidates) {
    if (candidate === except) continue;
    drawn = candidate;
    rest -= candidate.weight;
    if (rest < 0) break;
  }
  // Sums of fractions may miss the end by a little: then it is the last one.
  return drawn;
}

/** Any, as often as its weight says (sgc: lbRandom). */
export const random: SelectionPolicy = {
  select: (candidates, context) => draw(candidates, context),
};
