/**
 * Owns the way of an upgrade request into the server: validated, admitted, given a receiver and an actor, or refused.
 * Refuses to listen, and to decide what a valid request gets; the receiver does.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusal } from '../../actors/connection.effects.js';
import { ConnectionActor } from '../../actors/connection-actor.js';
import { checkUpgrade } from '../../protocol/handshake.js';
import {
  describeError,
  httpStatusOf,
  type LifecycleReceiver,
  TidegateError,
  type UpgradeRequest,
} from '../../receivers/index.js';
import type { RejectedUpgrade } from '../events.js';
import { writeRefusal } from '../handshake/answer.js';
import { plainAddress } from '../handshake/plain-address.js';
import { createUpgradeRequest } from '../handshake/upgrade-request.js';
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
  readonly #sockets = new Set<Socket>();

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** Takes an upgrade request, with the bytes that came behind it. */
  take(req: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const { httpVersion, rawHeaders } = req;
    const upgrade = checkUpgrade({ method: req.method ?? '', httpVersion, rawHeaders });
    const refusal = 'error' in upgrade ? upgrade : this.#options.services.supervisor.admit();
    if (refusal !== undefined) this.#refuse(socket, req, refusal);
    else if ('key' in upgrade) this.#connect(req, socket, head, upgrade.key);
  }

  /** Cuts every socket that came in here and is still there; resolves when all are closed. */
  async clear(): Promise<void> {
    await Promise.all([...this.#sockets].map(destroyed));
  }

  #connect(req: IncomingMessage, socket: Socket, head: Buffer, key: string): void {
    const { services, createReceiver, nextId } = this.#options;
    const { supervisor } = services;
    const abort = new AbortController();
    let request: UpgradeRequest;
    let receiver: LifecycleReceiver;
    try {
      request = createUpgradeRequest(req, socket, abort.signal);
    } catch (error) {
      this.#refuse(socket, req, refusalFor(error));
      return;
    }
    try {
      receiver = createReceiver(request);
    } catch (error) {
      this.#options.exception(error);
      this.#refuse(socket, req, { status: 500, error: 'RECEIVER_FAILED', message: 'the application failed' });
      return;
    }
    const connection = new ConnectionActor({
      id: nextId(),
      request,
      receiver,
      host: supervisor,
      parent: supervisor.ref,
    });
    connection.port = new DownstreamShell({ connection, services, socket, head, key, abort });
    supervisor.add(connection);
    connection.start();
  }

  #refuse(socket: Socket, req: IncomingMessage, refusal: Refusal): void {
    const { status, headers, message, error } = refusal;
    const remoteAddress = plainAddress(socket.remoteAddress);
    writeRefusal(socket, { status, headers, body: `${message}\n` });
    this.#options.rejected({ error, status, message, remoteAddress, path: req.url?.split('?', 1)[0] });
  }
}

function refusalFor(error: unknown): Refusal {
  const code = error instanceof TidegateError ? error.code : 'BAD_HANDSHAKE';
  return { status: httpStatusOf(code), error: code, message: describeError(error) };
}

function destroyed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.destroy();
    if (socket.closed) resolve();
  });
}
