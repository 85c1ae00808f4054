/** Owns which connections exist and which channels they joined. Refuses to create or end them. */
import type { ConnectionActor } from './connection-actor.js';

/** Emptied when the connection goes: the tables that a `Map` has outgrown would keep it (see {@link Chain}). */
interface Entry {
  connection: ConnectionActor | undefined;
  readonly isControl: boolean;
}

/** The connections of one server by id, and its channels. */
export class Registry {
  readonly #connections = new Map<string, Entry>();
  #controls = 0;
  readonly #channels = new Map<string, Set<ConnectionActor>>();

  /** How many of them came by a listener for control channels. */
  get controls(): number {
    return this.#controls;
  }

  get clientCount(): number {
    return this.size - this.#controls;
  }

  get size(): number {
    return this.#connections.size;
  }

  add(connection: ConnectionActor, isControl = false): void {
    if (isControl) this.#controls += 1;
    this.#connections.set(connection.id, { connection, isControl });
  }

  /** Forgets a connection, its channels and its place. Answers whether it was known. */
  remove(connection: ConnectionActor): boolean {
    for (const channel of [...(connection.channels ?? [])]) this.leave(channel, connection);
    connection.seat?.release();
    connection.seat = undefined;
    const entry = this.#connections.get(connection.id);
    if (entry !== undefined) {
      entry.connection = undefined;
      if (entry.isControl) this.#controls -= 1;
    }
    return this.#connections.delete(connection.id);
  }

  get(id: string): ConnectionActor | undefined {
    return this.#connections.get(id)?.connection;
  }

  /** The connection of a client; undefined for a control channel. */
  client(id: string): ConnectionActor | undefined {
    const entry = this.#connections.get(id);
    return entry?.isControl === false ? entry.connection : undefined;
  }

  isControl({ id }: ConnectionActor): boolean {
    return this.#connections.get(id)?.isControl === true;
  }

  /** Every connection, those in their handshake too. */
  *all(): Generator<ConnectionActor, void> {
    for (const { connection } of this.#connections.values()) if (connection !== undefined) yield connection;
  }

  /** Those of clients, open or in their handshake; control channels are left alone by what is for all clients. */
  *clients(): Generator<ConnectionActor, void> {
    for (const { connection, isControl } of this.#connections.values()) {
      if (connection !== undefined && !isControl) yield connection;
    }
  }

  join(channel: string, connection: ConnectionActor): void {
    let members = this.#channels.get(channel);
    if (members === undefined) {
      members = new Set();
      this.#channels.set(channel, members);
    }
    members.add(connection);
    connection.channels ??= new Set();
    connection.channels.add(channel);
  }

  leave(channel: string, connection: ConnectionActor): void {
    connection.channels?.delete(channel);
    const members = this.#channels.get(channel);
    if (members?.delete(connection) && members.size === 0) this.#channels.delete(channel);
  }

  /** The members of a channel; empty for one that nobody joined. */
  members(channel: string): Iterable<ConnectionActor> {
    return this.#channels.get(channel) ?? [];
  }
}
