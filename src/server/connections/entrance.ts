/**
 * Owns the way of an upgrade request into the server: validated, admitted, given a receiver and an actor, or refused.
 * Refuses to listen, and to decide what a valid request gets; the receiver does.
 */
import type { Refusal } from '../../actors/connection.effects.js';
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
import { lingerAndTerminate } from '../handshake/linger.js';
import { TcpRequest } from '../handshake/tcp-request.js';
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

/** What a connection begins with. */
interface Entry {
  readonly wire: Wire;
  /** Undefined for a client that speaks plain TCP, like `head`. */
  readonly key: string | undefined;
  readonly head?: RequestHead;
  readonly decision: DecisionSignal;
  readonly offeredTarget?: string | undefined;
}

/** Where upgrade requests come in. */
export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** Takes a request and the wire it came by, which is not read. */
  take(head: RequestHead, wire: Wire): void {
    const upgrade = checkUpgrade(head);
    const refusal = 'error' in upgrade ? upgrade : this.#options.services.supervisor.admit(wire.pass?.role);
    if (refusal !== undefined) this.#refuse(head, wire, refusal);
    else if ('key' in upgrade) this.#connect(head, wire, upgrade.key);
  }

  /**
   * Takes a client that speaks plain TCP; its wire is not read.
   *
   * @param target where it goes, unless the receiver says otherwise. Default: that of the options.
   */
  takeBytes(wire: Wire, target: string | undefined): void {
    const refusal = this.#options.services.supervisor.admit(wire.pass?.role);
    if (refusal === undefined) {
      const decision = new DecisionSignal();
      this.#begin(new TcpRequest(wire, decision), { wire, key: undefined, decision, offeredTarget: target });
    } else this.#drop(wire, refusal);
  }

  #connect(head: RequestHead, wire: Wire, key: string): void {
    const decision = new DecisionSignal();
    let request: ParsedUpgradeRequest;
    try {
      request = createUpgradeRequest(head, wire, decision);
    } catch (error) {
      this.#refuse(head, wire, refusalFor(error));
      return;
    }
    this.#begin(request, { wire, key, decision, head });
  }

  #begin(request: ParsedUpgradeRequest | TcpRequest, { head, ...entry }: Entry): void {
    const { services, createReceiver, nextId } = this.#options;
    const { supervisor } = services;
    let receiver: LifecycleReceiver;
    try {
      receiver = createReceiver(request);
    } catch (error) {
      this.#options.exception(error);
      const failed: Refusal = { status: 500, error: 'RECEIVER_FAILED', message: 'the application failed' };
      if (head === undefined) this.#drop(entry.wire, failed);
      else this.#refuse(head, entry.wire, failed);
      return;
    }
    const connection = new ConnectionActor({
      id: nextId(),
      request,
      receiver,
      host: supervisor,
      parent: supervisor.ref,
    });
    const { wire, key, decision, offeredTarget } = entry;
    connection.port = new DownstreamShell({ connection, services, request, wire, key, decision, offeredTarget });
    supervisor.add(connection, wire.pass?.role);
    connection.start();
  }

  /** Refuses a client that no answer means anything to. */
  #drop(wire: Wire, { status, message, error }: Refusal): void {
    const { remoteAddress } = wire.pass?.peer ?? wire.addresses;
    lingerAndTerminate(wire);
    this.#options.rejected({ error, status, message, remoteAddress, path: undefined });
  }

  #refuse(head: RequestHead, wire: Wire, refusal: Refusal): void {
    const { status, headers, message, error } = refusal;
    const { remoteAddress } = wire.pass?.peer ?? wire.addresses;
    // Whoever asked for no WebSocket has nothing to correct, and is mostly a person with a browser.
    const text = error === 'NOT_AN_UPGRADE' ? ERRORS[error].help : message;
    writeRefusal(wire, { status, headers, body: head.method === 'HEAD' ? '' : `${text}\n` });
    this.#options.rejected({ error, status, message, remoteAddress, path: head.url.split('?', 1)[0] });
  }
}

function refusalFor(error: unknown): Refusal {
  const code = error instanceof TidegateError ? error.code : 'BAD_HANDSHAKE';
  return { status: httpStatusOf(code), error: code, message: describeError(error) };
}
