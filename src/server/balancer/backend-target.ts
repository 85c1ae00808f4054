/** Owns how a backend is dialled: what its url says, by the name that it was found by. Refuses to dial it. */
import type { BackendSpec } from '../../actors/backend.js';
import { parseTarget, type Target } from '../dial/target.js';

/** Of backends that have a name beside their address: as long as they are what they are. */
const named = new WeakMap<BackendSpec, Target>();

/** Where a backend is dialled. */
export function targetOf(spec: BackendSpec): Target {
  const target = parseTarget(spec.url);
  const { serverName } = spec;
  if (serverName === undefined || target.kind === 'unix') return target;
  let own = named.get(spec);
  if (own === undefined) {
    own = { ...target, serverName };
    named.set(spec, own);
  }
  return own;
}
