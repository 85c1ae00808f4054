/** Owns what an application can do with a connection. Refuses to hold state; the connection actor does. */
import {
  assertPrincipal,
  CloseCode,
  type Connection,
  type ConnectionSnapshot,
  type ConnectionState,
  isCloseCode,
  type Message,
  type Principal,
  type RateLimits,
  type SendResult,
  TidegateError,
  type UpgradeRequest,
} from '../receivers/index.js';
import type { DownstreamPort } from './downstream.port.js';
import type { Ending } from './ending.js';
import type { Reading } from './reading.js';

const MAX_PING_BYTES = 125;

const NONE: ReadonlySet<string> = new Set();

/** What a handle needs of its connection actor. */
export interface ConnectionControls {
  readonly id: string;
  readonly request: UpgradeRequest;
  readonly state: ConnectionState;
  readonly chartValue: unknown;
  readonly channels: ReadonlySet<string> | undefined;
  readonly throttled: boolean;
  /** Milliseconds since the epoch. */
  readonly openedAt: number | undefined;
  readonly gate: boolean;
  readonly port: DownstreamPort;
  /** The other side of the pair, while there is one. */
  readonly counterpart: { readonly roundTripMs: number | undefined } | undefined;
  readonly principal: Principal | undefined;
  renew(principal: Principal): void;
  readonly reading: Pick<Reading, 'hold' | 'release'>;
  close(ending: Ending): void;
  requestTerminate(ending: Ending): void;
  subscribe(channel: string): void;
  unsubscribe(channel: string): void;
}

/** A connection in the hands of an application. */
export class ConnectionHandle implements Connection {
  readonly #actor: ConnectionControls;

  constructor(actor: ConnectionControls) {
    this.#actor = actor;
  }

  get id(): string {
    return this.#actor.id;
  }

  get request(): UpgradeRequest {
    return this.#actor.request;
  }

  get state(): ConnectionState {
    return this.#actor.state;
  }

  get subprotocol(): string {
    return this.#actor.port.subprotocol;
  }

  get target(): string | undefined {
    return this.#actor.port.target;
  }

  get throttled(): boolean {
    return this.#actor.throttled;
  }

  get bufferedBytes(): number {
    return this.#actor.port.bufferedBytes;
  }

  get channels(): ReadonlySet<string> {
    return this.#actor.channels ?? NONE;
  }

  get principal(): Principal | undefined {
    return this.#actor.principal;
  }

  send(message: Message): SendResult {
    assertMessage(message);
    return this.#actor.gate ? this.#actor.port.send(message) : 'closed';
  }

  ping(payload: Message = ''): SendResult {
    assertMessage(payload);
    const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
    if (bytes > MAX_PING_BYTES) {
      throw new TidegateError('INVALID_MESSAGE', `a ping payload of ${bytes} bytes; at most ${MAX_PING_BYTES} fit`);
    }
    return this.#actor.gate ? this.#actor.port.ping(payload) : 'closed';
  }

  clearQueue(): number {
    return this.#actor.port.clearQueue();
  }

  close(code: CloseCode = CloseCode.Normal, reason = ''): void {
    if (!isCloseCode(code)) {
      throw new TidegateError(
        'INVALID_CLOSE_CODE',
        `close(${String(code)}): a Close frame may carry 1000-1003, 1007-1014 or 3000-4999`,
      );
    }
    this.#actor.close({ initiator: 'application', cause: 'closed', code, reason });
  }

  terminate(): void {
    this.#actor.requestTerminate({ initiator: 'application', cause: 'terminated', code: 1006, reason: '' });
  }

  pause(): void {
    this.#actor.reading.hold('application');
  }

  resume(): void {
    this.#actor.reading.release('application');
  }

  limitRate(rates: RateLimits): void {
    this.#actor.port.limitRate(rates);
  }

  subscribe(channel: string): void {
    this.#actor.subscribe(channel);
  }

  unsubscribe(channel: string): void {
    this.#actor.unsubscribe(channel);
  }

  renew(principal: Principal): void {
    assertPrincipal(principal, 'renew()');
    const { principal: before } = this;
    if (before?.name !== principal.name) {
      throw new TidegateError('INVALID_CREDENTIALS', 'renew() takes a principal with the name that the connection has');
    }
    this.#actor.renew(principal);
  }

  snapshot(): ConnectionSnapshot {
    const { port, request, openedAt } = this.#actor;
    return {
      id: this.id,
      state: this.state,
      chart: this.#actor.chartValue,
      path: request.path,
      target: port.target,
      dataPath: port.dataPath,
      subprotocol: port.subprotocol,
      remoteAddress: request.remoteAddress,
      remotePort: request.remotePort,
      channels: [...this.channels],
      user: this.principal?.name,
      tags: [...(this.principal?.tags ?? [])],
      openedAt: openedAt === undefined ? undefined : new Date(openedAt).toISOString(),
      received: port.received,
      sent: port.sent,
      throttled: this.throttled,
      bufferedBytes: port.bufferedBytes,
      roundTripMs: port.roundTripMs,
      upstreamRoundTripMs: this.#actor.counterpart?.roundTripMs,
    };
  }
}

function assertMessage(message: Message): void {
  if (typeof message === 'string' || message instanceof Uint8Array) return;
  throw new TidegateError(
    'INVALID_MESSAGE',
    `a message of type ${typeof message}; it must be a string or a Uint8Array`,
  );
}
