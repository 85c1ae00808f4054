/** Owns how a client that speaks plain TCP begins: without an answer. Refuses to read what it says before there is a data path. */

import { lingerAndTerminate } from '../handshake/linger.js';
import { BytesPath } from '../paths/bytes-path.js';
import type { DataPath } from '../paths/data-path.js';
import { TcpMessagesPath } from '../paths/tcp-messages-path.js';
import type { Greeting, GreetingParts } from './greeting.js';
import type { Plan } from './plan.js';

/** The beginning of a client without frames. */
export class TcpGreeting implements Greeting {
  readonly early = undefined;
  readonly subprotocol = '';
  readonly offeredTarget: string | undefined;
  readonly #parts: GreetingParts;

  constructor(parts: GreetingParts, offeredTarget: string | undefined) {
    this.#parts = parts;
    this.offeredTarget = offeredTarget;
    const { connection, wire } = parts;
    // It may say all it has to say, and end, before it is answered: only one that is cut is gone.
    wire.attach({ onBytes() {}, onEnd() {}, onDrain() {}, onClosed: () => connection.onClosed(1006, '') });
    wire.watch();
  }

  accept(plan: Plan): DataPath {
    const { connection, wire, services } = this.#parts;
    const { limits, tcpFraming: framing } = services.config;
    const { receiver } = connection;
    return plan.path === 'bytes'
      ? new BytesPath({ connection, wire, services: services.links, limits })
      : new TcpMessagesPath({ connection, wire, services: services.links, limits, receiver, framing });
  }

  /** Nothing that could be said means anything to a client that speaks no HTTP. */
  refuse(): void {
    lingerAndTerminate(this.#parts.wire);
  }
}
