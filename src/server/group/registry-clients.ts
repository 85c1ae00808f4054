/** Owns what is done for the clients of a server of ours that one member of a group delivers to. Refuses to choose which those are. */
import { disconnectedByOperator } from '../../actors/ending.js';
import type { SupervisorActor } from '../../actors/supervisor-actor.js';
import type { Message, SendResult } from '../../receivers/index.js';
import { type BroadcastFilter, type BroadcastReport, broadcast, type IsMeant, pingAll } from '../broadcast.js';
import type { LocalClients } from './local-clients.js';
import { NOTHING } from './tally.js';

/** The clients of one server. There are none while it does not run. */
export class RegistryClients implements LocalClients {
  readonly #supervisor: () => SupervisorActor | undefined;
  readonly #isMeant: IsMeant;

  /** @param isMeant whether this member delivers to a client what is for all. Default: to each. */
  constructor(supervisor: () => SupervisorActor | undefined, isMeant: IsMeant = () => true) {
    this.#supervisor = supervisor;
    this.#isMeant = isMeant;
  }

  broadcast(message: Message, filter: BroadcastFilter): BroadcastReport {
    const registry = this.#supervisor()?.registry;
    return registry === undefined ? NOTHING : broadcast(registry, message, filter, this.#isMeant);
  }

  send(id: string, message: Message): SendResult | 'unknown' {
    return this.#supervisor()?.registry.client(id)?.handle.send(message) ?? 'unknown';
  }

  ping(payload: string): BroadcastReport {
    const registry = this.#supervisor()?.registry;
    return registry === undefined ? NOTHING : pingAll(registry, payload, this.#isMeant);
  }

  disconnectAll(): number {
    let count = 0;
    // How long that takes depends on `limits.disconnectsPerSecond`: what was begun is what is said.
    void this.#supervisor()?.closeAll(disconnectedByOperator, (connection) => {
      if (!this.#isMeant(connection)) return false;
      count += 1;
      return true;
    });
    return count;
  }
}
