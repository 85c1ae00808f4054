/** Owns the face of a group: what can be done for the clients of a balancer and all its backends, and what comes of it. Refuses to do it. */
import type { GroupFilter } from '../../protocol/control/messages.js';
import type { Connection, Message, SendResult } from '../../receivers/index.js';
import type { BroadcastReport } from '../broadcast.js';

/** What became of an action for a whole group. */
export interface GroupReport extends BroadcastReport {
  /** The ids of the backends and balancers that carried it out. */
  readonly reached: readonly string[];
  /** Those that did not take it or did not answer in time: whether their clients were reached is not known. */
  readonly lost: readonly string[];
  /** That nobody is lost. */
  readonly complete: boolean;
}

/** What became of a message for one client: as its own server says; `unknown` when there is none; `lost` when its backend does not say. */
export type GroupSendResult = SendResult | 'unknown' | 'lost';

/**
 * The clients of a balancer and of all its backends that deliver messages. Each is reached once: by the backend that it is on if that
 * one delivers messages, else by the balancer. What is begun at one place arrives in the order in which it was begun.
 *
 * Every verb rejects with `NOT_RUNNING` unless the server runs, with `NOT_REGISTERED` when a backend is registered with no balancer,
 * with `INVALID_MESSAGE` for what is no message or one of more than 8 MiB, and with `INVALID_OPTION` for an address or a filter that is
 * none; nothing was sent then. It never rejects for what becomes of it on the way: see {@link GroupReport.lost}.
 */
export interface Group {
  /**
   * Sends a message to every client that passes the filter, wherever it is. Its lists hold addresses, or ids of connections of this
   * server.
   */
  broadcast(message: Message, filter?: GroupFilter): Promise<GroupReport>;
  /** Sends a message to the client with this address, or with this id on this server (sgc: WriteData). */
  send(address: string, message: Message): Promise<GroupSendResult>;
  /** Sends a ping to every client, with at most 125 bytes of payload. */
  ping(payload?: string): Promise<GroupReport>;
  /** Closes every client's connection with 1001, a batch at a time. Resolves when that has begun; `accepted` are those it is done for. */
  disconnectAll(): Promise<GroupReport>;
  /**
   * The address of a connection of this server, such as `b1/conn-12`, by which it is known in the whole group.
   *
   * @throws TidegateError `NOT_RUNNING` unless the balancer runs; `INVALID_OPTION` at a balancer for a client to which a backend delivers
   * that did not say by which id it knows it, as servers of this library do.
   */
  addressOf(connection: Pick<Connection, 'id'>): string;
}
