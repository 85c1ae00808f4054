/**
 * Owns the last connections that ended and handshakes that were refused, so that they can be explained. Keeps none unless it is told to,
 * and never a socket. Refuses to explain.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { History } from '../../actors/history.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import type { CloseReport } from '../../receivers/index.js';
import type { ObservedParts, Onlooker } from '../observation/onlooker.js';
import type { Speaking } from './event-words.js';
import type { Sides } from './text.js';

/** What is kept of a connection that is over. */
export interface EndedConnection {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly sides: Sides;
  readonly speaking: Speaking;
  /** May still grow: the upstream can end later. */
  readonly history: History | undefined;
  readonly report: CloseReport | undefined;
  /** Of a handshake. */
  readonly refusal: Pick<Refusal, 'status' | 'error' | 'message'> | undefined;
}

/** Room for what a client wrote; a handshake may be long. */
const MAX_TEXT = 1000;

/** The last ends of one server. */
export class EndedConnections implements Onlooker {
  /** By id, the oldest first. */
  readonly #ended = new Map<string, EndedConnection>();
  #isKeeping = false;
  #limit = 0;

  /** Whether there is an admin side, which may ask. */
  get isKeeping(): boolean {
    return this.#isKeeping;
  }

  /** From now on as many are kept as `inspection.ended` says. */
  keep(): void {
    this.#isKeeping = true;
  }

  began({ config }: ObservedParts): void {
    this.#limit = config.inspection.ended;
  }

  closed(connection: ConnectionActor, report: CloseReport): void {
    this.#add(connection, { report });
  }

  refused(connection: ConnectionActor, refusal: Refusal): void {
    this.#add(connection, { refusal });
  }

  find(id: string): EndedConnection | undefined {
    return this.#ended.get(id);
  }

  /** Newest first. */
  list(): EndedConnection[] {
    return [...this.#ended.values()].reverse();
  }

  #add(
    connection: ConnectionActor,
    end: { report: CloseReport; refusal?: undefined } | { report?: undefined; refusal: Refusal },
  ): void {
    if (!this.#isKeeping || this.#limit === 0) return;
    const { id, request, principal, port, counterpart, history } = connection;
    const { status, error, message } = end.refusal ?? {};
    this.#ended.set(id, {
      id,
      at: Date.now(),
      sides: {
        remoteAddress: request.remoteAddress,
        remotePort: request.remotePort,
        path: kept(request.path),
        user: principal === undefined ? undefined : kept(principal.name),
        target: port.target === undefined ? undefined : kept(port.target),
        dataPath: port.dataPath,
      },
      speaking: {
        connection: request.transport === 'websocket',
        upstream: counterpart instanceof UpstreamActor ? counterpart.port.speaksWebSocket : true,
      },
      history,
      report: end.report,
      refusal:
        status === undefined || error === undefined ? undefined : { status, error, message: kept(message ?? '') },
    });
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= this.#limit) break;
      this.#ended.delete(oldest);
    }
  }
}

/** A text of its own: a part of a text keeps the whole of it, here the whole handshake. */
function kept(text: string): string {
  return Buffer.from(text.slice(0, MAX_TEXT)).toString();
}
