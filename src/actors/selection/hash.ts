/** Owns the policy `hash`, and the hash itself. Refuses to say what of a client is hashed. */
import type { Candidate, SelectionPolicy } from './policy.js';
import { random } from './random.js';

/**
 * The same key gets the same backend, on every balancer and after every restart, as long as that one is available (rendezvous hashing:
 * every backend bids for the key, and the highest bid wins). When a backend comes or goes only the keys that it wins or had move, its
 * share of all. Clients without a key are spread at random.
 */
export const hash: SelectionPolicy = {
  select(candidates, context) {
    const { key } = context;
    if (key === undefined) return random.select(candidates, context);
    const hashed = hashOf(key);
    let best: Candidate | undefined;
    let highest = Number.NEGATIVE_INFINITY;
    for (const candidate of candidates) {
      const bid = bidOf(candidate, hashed);
      // Equal bids are settled by the id, so that the order in which backends came does not matter.
      if (bid < highest || (bid === highest && best !== undefined && best.id < candidate.id)) continue;
      highest = bid;
      best = candidate;
    }
    return best;
  },
};

/** Wins as often as its weight says (C. Schindelhauer, G. Schomaker, "Weighted distributed hash tables"). */
function bidOf({ id, weight }: Candidate, hashedKey: number): number {
  const chance = (mixed(hashedKey ^ hashOf(id)) + 0.5) / 2 ** 32;
  return -weight / Math.log(chance);
}

/** FNV-1a over UTF-16 units, mixed: 32 bits. */
function hashOf(text: string): number {
  let hashed = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hashed = Math.imul(hashed ^ text.charCodeAt(at), 0x01000193);
  return mixed(hashed);
}

/** The finalizer of MurmurHash3: each bit of the input changes about half of the output. */
function mixed(bits: number): number {
  let mixing = bits;
  mixing = Math.imul(mixing ^ (mixing >>> 16), 0x85ebca6b);
  mixing = Math.imul(mixing ^ (mixing >>> 13), 0xc2b2ae35);
  return (mixing ^ (mixing >>> 16)) >>> 0;
}
