/** Owns finding what is to be explained: a connection that there is, or one that ended lately. Refuses to word it. */
import type { Observation } from '../observation/observation.js';
import { explainConnection } from './explain-connection.js';
import { explainEnded } from './explain-ended.js';
import type { Explanation } from './explanation.js';

/** Explains the connection with an id; undefined when there is none, and none is remembered. */
export function explain({ parts, ends }: Observation, id: string): Explanation | undefined {
  const connection = parts?.supervisor.registry.get(id);
  if (parts !== undefined && connection !== undefined) {
    return explainConnection(connection, parts.supervisor.watches, parts.config);
  }
  const last = ends.find(id);
  return last === undefined ? undefined : explainEnded(last);
}
