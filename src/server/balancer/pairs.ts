/**
 * Owns that each pair of a client and a backend is told exactly once: after its connection was, and before that ends. Refuses to end
 * one.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { PairedBackend, Pairing } from '../../actors/pairing.js';

interface PairsOptions {
  connection(id: string): ConnectionActor | undefined;
  /** A client and a backend are connected. Must not throw. */
  paired(connection: ConnectionActor, backend: PairedBackend): void;
  unpaired(connection: ConnectionActor, backend: PairedBackend): void;
}

/** The pairs of one balancer. Each is kept with the upstream of its connection. */
export class Pairs {
  readonly #options: PairsOptions;

  constructor(options: PairsOptions) {
    this.#options = options;
  }

  /** The backend that a client is on. */
  backendOf(id: string): PairedBackend | undefined {
    return this.#options.connection(id)?.counterpart?.pairing?.backend;
  }

  /** Its backend is connected; the client may not have its 101 yet. */
  paired(id: string, pairing: Pairing): void {
    const connection = this.#options.connection(id);
    if (connection?.counterpart === undefined) return;
    connection.counterpart.pairing = pairing;
    if (connection.gate) this.opened(connection);
  }

  /** The connection is open, and was told. */
  opened(connection: ConnectionActor): void {
    const pairing = connection.counterpart?.pairing;
    if (pairing === undefined || pairing.isTold) return;
    pairing.isTold = true;
    this.#options.paired(connection, pairing.backend);
  }

  /** The backend is gone for this client. */
  unpaired(id: string): void {
    const connection = this.#options.connection(id);
    if (connection !== undefined) this.closed(connection);
  }

  /** The connection is closed, and nobody was told yet. */
  closed(connection: ConnectionActor): void {
    const { counterpart } = connection;
    const pairing = counterpart?.pairing;
    if (counterpart === undefined || pairing === undefined) return;
    counterpart.pairing = undefined;
    if (pairing.isTold) this.#options.unpaired(connection, pairing.backend);
  }
}
