/**
 * Owns the way of an upgrade request into the server: validated, admitted, given a receiver and an actor, or refused.
 * Refuses to listen, and to decide what a valid request gets; the receiver does.
 */
import type { ConnectionTimeouts, Refusal } from '../../actors/connection.effects.js';
import { ConnectionActor } from '../../actors/connection-actor.js';
import { checkUpgrade } from '../../protocol/handshake.js';
import type { RequestHead } from '../../protocol/http-head.js';
import {
  describeError,
  ERRORS,
  httpStatusOf,
  type LifecycleReceiver,
  TidegateError,
  type UpgradeRequest,
} from '../../receivers/index.js';
import type { RejectedUpgrade } from '../events.js';
import { writeRefusal } from '../handshake/answer.js';
import { DecisionSignal } from '../handshake/decision-signal.js';
import { createUpgradeRequest, type ParsedUpgradeRequest } from '../handshake/upgrade-request.js';
import type { Wire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import { DownstreamShell } from './downstream-shell.js';

/** Makes the receiver of one connection. Called once for each valid upgrade request; a throw answers 500. */
export type ReceiverFactory = (request: UpgradeRequest) => LifecycleReceiver;

/** What an entrance needs. */
export interface EntranceOptions {
  readonly services: ConnectionServices;
  readonly createReceiver: ReceiverFactory;
  nextId(): string;
  rejected(rejected: RejectedUpgrade): void;
  /** The factory threw. */
  exception(error: unknown): void;
}

/** Where upgrade requests come in. */
export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /**
   * Takes a request and the wire it came by, which is not read.
   *
   * @param waited milliseconds of the handshake's deadline that its head took.
   */
  take(head: RequestHead, wire: Wire, waited = 0): void {
    const upgrade = checkUpgrade(head);
    const refusal = 'error' in upgrade ? upgrade : this.#options.services.supervisor.admit();
    if (refusal !== undefined) this.#refuse(head, wire, refusal);
    else if ('key' in upgrade) this.#connect(head, wire, upgrade.key, waited);
  }

  #connect(head: RequestHead, wire: Wire, key: string, waited: number): void {
    const { services, createReceiver, nextId } = this.#options;
    const { supervisor } = services;
    const decision = new DecisionSignal();
    let request: ParsedUpgradeRequest;
    let receiver: LifecycleReceiver;
    try {
      request = createUpgradeRequest(head, wire, decision);
    } catch (error) {
      this.#refuse(head, wire, refusalFor(error));
      return;
    }
    try {
      receiver = createReceiver(request);
    } catch (error) {
      this.#options.exception(error);
      this.#refuse(head, wire, { status: 500, error: 'RECEIVER_FAILED', message: 'the application failed' });
      return;
    }
    const connection = new ConnectionActor({
      id: nextId(),
      request,
      receiver,
      host: supervisor,
      parent: supervisor.ref,
      timeouts: waited > 0 ? shortened(supervisor.timeouts, waited) : undefined,
    });
    connection.port = new DownstreamShell({ connection, services, request, wire, key, decision });
    supervisor.add(connection);
    connection.start();
  }

  #refuse(head: RequestHead, wire: Wire, refusal: Refusal): void {
    const { status, headers, message, error } = refusal;
    const { remoteAddress } = wire.addresses;
    // Whoever asked for no WebSocket has nothing to correct, and is mostly a person with a browser.
    const text = error === 'NOT_AN_UPGRADE' ? ERRORS[error].help : message;
    writeRefusal(wire, { status, headers, body: head.method === 'HEAD' ? '' : `${text}\n` });
    this.#options.rejected({ error, status, message, remoteAddress, path: head.url.split('?', 1)[0] });
  }
}

/** One deadline from the first byte to the decision: what the head took of it is gone. */
function shortened(timeouts: ConnectionTimeouts, waited: number): ConnectionTimeouts {
  return { ...timeouts, handshake: Math.max(1, timeouts.handshake - waited) };
}

function refusalFor(error: unknown): Refusal {
  const code = error instanceof TidegateError ? error.code : 'BAD_HANDSHAKE';
  return { status: httpStatusOf(code), error: code, message: describeError(error) };
}
