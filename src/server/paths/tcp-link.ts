/**
 * Owns the client's side of a data path when the client speaks plain TCP: no frames, no pings, and a FIN in the place of a Close
 * frame. Refuses to know the other side.
 */
import { Buffer } from 'node:buffer';
import { CloseCode, CloseIndicator, type CloseStatus, type Message, type SendResult } from '../../receivers/index.js';
import type { PacedWire } from '../shaping/paced-wire.js';
import type { Wire } from '../wires/wire.js';
import { BytesOutlet } from './bytes-outlet.js';
import { Intake } from './intake.js';
import { type DownLink, type LinkServices, takeExcuse } from './links.js';
import type { OutletOwner } from './outlet.js';
import { asBuffer } from './own-sends.js';
import { TrafficCounter } from './traffic.js';

/** What a plain TCP client is told and tells by. */
export interface TcpLinkOptions {
  /** Written behind each message; undefined where the stream has no messages. */
  readonly delimiter: Buffer | undefined;
  /** The client's FIN came. */
  ended(): void;
}

/** A client that speaks plain TCP. */
export class TcpLink implements DownLink {
  readonly intake: Intake;
  readonly outlet: BytesOutlet;
  paced: PacedWire | undefined;
  readonly speaksWebSocket = false;
  readonly roundTripMs = undefined;
  readonly received = new TrafficCounter();
  readonly sent = new TrafficCounter();
  own: TrafficCounter | undefined;
  dropped: TrafficCounter | undefined;
  readonly #services: LinkServices;
  readonly #options: TcpLinkOptions;
  #code: CloseStatus = CloseCode.Normal;

  constructor(wire: Wire, owner: OutletOwner, services: LinkServices, options: TcpLinkOptions) {
    this.#options = options;
    this.#services = services;
    this.intake = new Intake(wire);
    this.outlet = new BytesOutlet(wire, owner, services.watch, services.limits);
  }

  get wire(): Wire {
    return this.outlet.wire;
  }

  /** The code that the client's FIN stands for: that of our close if it answers one, else 1000. */
  get endCode(): CloseStatus {
    return this.#code;
  }

  get bufferedBytes(): number {
    return this.outlet.bufferedBytes;
  }

  get closeWritten(): boolean {
    return this.outlet.closeWritten;
  }

  send(message: Message): SendResult {
    if (this.outlet.closing || this.wire.closed) return 'closed';
    const payload = typeof message === 'string' ? Buffer.from(message) : asBuffer(message);
    if (this.bufferedBytes > this.#services.limits.maxQueuedBytes) return this.#refuse(payload.length);
    const result = this.deliver(payload);
    this.outlet.noteSend();
    if (result !== 'closed') {
      this.own ??= new TrafficCounter();
      this.own.messages += 1;
      this.own.bytes += payload.length;
    }
    if (result === 'queued') this.outlet.owner.onHolding();
    return result;
  }

  /** Nothing that waits is dropped for it: see {@link clearQueue}. */
  #refuse(bytes: number): SendResult {
    this.dropped ??= new TrafficCounter();
    this.dropped.messages += 1;
    this.dropped.bytes += bytes;
    if (this.#services.outbound?.overflow !== 'close') return 'dropped';
    this.outlet.owner.onOverflow();
    return 'closed';
  }

  /** What waits may be a part of a message: nothing is taken out of a stream of bytes. */
  clearQueue(): number {
    return 0;
  }

  /** Writes one message, with the delimiter if there is one. */
  deliver(payload: Buffer): SendResult {
    const { delimiter } = this.#options;
    const result = this.outlet.message(delimiter === undefined ? payload : Buffer.concat([payload, delimiter]));
    if (result === 'accepted' || result === 'queued') {
      this.sent.messages += 1;
      this.sent.bytes += payload.length;
    }
    return result;
  }

  /** There are no pings in a byte stream. */
  ping(): SendResult {
    return this.outlet.closing || this.wire.closed ? 'closed' : 'dropped';
  }

  takeExcuse(): boolean {
    return takeExcuse(this);
  }

  /** TCP has no heartbeat of its own; keepalive is the operating system's. */
  sendHeartbeat(): void {}

  sendClose(code: CloseStatus): void {
    this.paced?.lift();
    if (code === CloseIndicator.Abnormal || code === CloseIndicator.TlsFailed) {
      this.wire.terminate();
      return;
    }
    this.#code = code;
    this.outlet.close();
  }

  end(): void {
    this.outlet.close();
  }

  onEnd(): void {
    this.#options.ended();
  }

  onClosed(): void {
    this.outlet.closed();
  }
}
