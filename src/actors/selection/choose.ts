/** Owns asking a policy, which may be one of the user's: what it throws or answers harms one pick. Refuses to choose. */
import { TidegateError } from '../../receivers/index.js';
import type { Candidate, SelectionContext, SelectionPolicy } from './policy.js';

/**
 * Answers with one of the candidates. With nothing when the policy picks none, and when it fails: it threw, or answered with what is no
 * candidate.
 *
 * @param failed is told how it failed.
 */
export function chooseOf(
  candidates: readonly Candidate[],
  policy: SelectionPolicy,
  context: SelectionContext,
  failed: (error: unknown) => void,
): Candidate | undefined {
  try {
    const chosen: unknown = policy.select(candidates, context);
    if (chosen === undefined) return undefined;
    // By the id: a policy may answer with a copy, or with what it was shown at another pick.
    const id = typeof chosen === 'object' && chosen !== null && 'id' in chosen ? chosen.id : undefined;
    const found = candidates.find((candidate) => candidate.id === id);
    if (found === undefined) {
      throw new TidegateError(
        'INVALID_DECISION',
        `the policy answered with ${described(chosen, id)}; expected one of the candidates`,
      );
    }
    return found;
  } catch (error) {
    failed(error);
    return undefined;
  }
}

function described(chosen: unknown, id: unknown): string {
  return typeof id === 'string' ? `the backend ${JSON.stringify(id)}, which is none of them` : `a ${typeof chosen}`;
}
