/**
 * Owns which client is on which backend, and that each pair is told exactly once: after its connection was, and before that ends.
 * Refuses to end one.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { PairedBackend } from '../../actors/pairing.js';

interface PairsOptions {
  connection(id: string): ConnectionActor | undefined;
  /** A client and a backend are connected. Must not throw. */
  paired(connection: ConnectionActor, backend: PairedBackend): void;
  unpaired(connection: ConnectionActor, backend: PairedBackend): void;
}

interface Pair {
  readonly connection: ConnectionActor;
  readonly backend: PairedBackend;
  told: boolean;
}

/** The pairs of one balancer. */
export class Pairs {
  readonly #options: PairsOptions;
  readonly #pairs = new Map<string, Pair>();

  constructor(options: PairsOptions) {
    this.#options = options;
  }

  /** The backend that a client is on. */
  backendOf(id: string): PairedBackend | undefined {
    return this.#pairs.get(id)?.backend;
  }

  /** Its backend is connected; the client may not have its 101 yet. */
  paired(id: string, backend: PairedBackend): void {
    const connection = this.#options.connection(id);
    if (connection === undefined) return;
    const pair = { connection, backend, told: false };
    this.#pairs.set(id, pair);
    if (connection.gate) this.#tell(pair);
  }

  /** The connection is open, and was told. */
  opened(id: string): void {
    const pair = this.#pairs.get(id);
    if (pair !== undefined) this.#tell(pair);
  }

  unpaired(id: string): void {
    const pair = this.#pairs.get(id);
    if (pair === undefined) return;
    this.#pairs.delete(id);
    if (pair.told) this.#options.unpaired(pair.connection, pair.backend);
  }

  #tell(pair: Pair): void {
    if (pair.told) return;
    pair.told = true;
    this.#options.paired(pair.connection, pair.backend);
  }
}
