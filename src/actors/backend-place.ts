/** Owns what the value of a `backend` chart says in one word. Refuses to know how it came there. */
import type { StateValue } from 'xstate';
import type { BackendHealth, BackendState } from './backend.js';

/** Where in its life it is. */
export function stateIn(value: StateValue): BackendState {
  return (typeof value === 'string' ? value : Object.keys(value)[0]) as BackendState;
}

/** What its health is judged to be; undefined unless it is ready. */
export function healthIn(value: StateValue): BackendHealth | undefined {
  if (typeof value === 'string') return undefined;
  const { health } = value.ready as { health: BackendHealth | { trial: string } };
  return typeof health === 'string' ? health : 'trial';
}
