/** Owns which states the charts of connections and upstreams have, by the ids they are drawn with. Refuses to count who is in them. */
import { connectionMachine } from '../../actors/connection.machine.js';
import { upstreamMachine } from '../../actors/upstream.machine.js';

interface Node {
  readonly states: Readonly<Record<string, Node>>;
}

/** Every state id, such as `connection.open.outbound.throttled`; those above come first. */
export const STATE_IDS: readonly string[] = [
  ...idsOf('connection', connectionMachine.root),
  ...idsOf('upstream', upstreamMachine.root),
];

function idsOf(id: string, { states }: Node): string[] {
  return [id, ...Object.entries(states).flatMap(([name, node]) => idsOf(`${id}.${name}`, node))];
}
