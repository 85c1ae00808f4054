/**
 * Owns one side of a data path as the effects ports see it: a wire with its intake and its outlet, speaking WebSocket or
 * plain bytes. Refuses to know the other side.
 */
import type { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { Opcode } from '../../protocol/frame.js';
import { CloseIndicator, type CloseStatus, type Message, type SendResult } from '../../receivers/index.js';
import type { Peer } from '../admission/policy.js';
import type { FloodLimits } from '../shaping/flood-guard.js';
import type { MessagePolicy } from '../shaping/frame-inspector.js';
import type { MemoryBudget } from '../shaping/memory-budget.js';
import type { PacedWire } from '../shaping/paced-wire.js';
import type { Pacer } from '../shaping/pacer.js';
import { passedLevel } from '../shaping/send-queue.js';
import type { Wire } from '../wires/wire.js';
import { Intake } from './intake.js';
import { type AgreedDeflate, MessageWriter } from './message-writer.js';
import { Outlet, type OutletLimits, type OutletOwner } from './outlet.js';
import { type OutboundOptions, OwnSends } from './own-sends.js';
import type { PressureWatch } from './pressure-watch.js';
import { TrafficCounter } from './traffic.js';
import { WebSocketOutlet } from './websocket-outlet.js';

/** What every link of a server shares. */
export interface LinkServices {
  readonly watch: PressureWatch;
  readonly pacer: Pacer;
  readonly budget: MemoryBudget;
  readonly limits: OutletLimits & { readonly maxQueuedBytes: number } & Partial<FloodLimits>;
  readonly outbound?: OutboundOptions;
  /** Asked about each message of a client, where an admission policy wants to be. */
  readonly messagePolicy?: MessagePolicy | undefined;
  /** Told how long the answer to a ping of the heartbeat took. Must not throw. */
  roundTrip?(side: 'downstream' | 'upstream', ms: number): void;
  /** Told of a client that floods. Must not throw. */
  offence?(peer: Peer, weight: number, why: string): void;
}

/** One side of a data path. */
export interface Link {
  /** That of its outlet. */
  readonly wire: Wire;
  readonly intake: Intake;
  readonly outlet: Outlet;
  /** The wire, where this connection has a rate. */
  paced: PacedWire | undefined;
  readonly speaksWebSocket: boolean;
  /** From this peer. */
  readonly received: TrafficCounter;
  /** To this peer. */
  readonly sent: TrafficCounter;
  /** True when the peer's silence since the last call says nothing: it was not read, or it was busy reading us. */
  takeExcuse(): boolean;
  /** Milliseconds from the last ping of the heartbeat that was answered to its pong; undefined where there is none. */
  readonly roundTripMs: number | undefined;
  sendHeartbeat(): void;
  sendClose(code: CloseStatus, reason: string): void;
  /** Both sides are done: end the wire when everything is written. */
  end(): void;
  /** The peer's FIN came. */
  onEnd(): void;
  onClosed(): void;
}

/** The client's side: beside what crosses the path the application sends on it. */
export interface DownLink extends Link {
  readonly outlet: Outlet & { readonly closing: boolean };
  /** What of `sent` the application sent; undefined when it sent nothing. */
  readonly own: TrafficCounter | undefined;
  /** Our Close frame, or our FIN where there are no frames, is with the wire. */
  readonly closeWritten: boolean;
  readonly bufferedBytes: number;
  /** Messages of the application that were dropped. */
  readonly dropped: TrafficCounter | undefined;
  /** Drops the sends that wait, and answers with the number of messages. */
  clearQueue(): number;
  /** Sends a message of the application. */
  send(message: Message): SendResult;
  ping(payload: Message): SendResult;
}

/** A side that speaks WebSocket: the client, or a `ws:` target. */
export class WebSocketLink implements DownLink {
  readonly intake: Intake;
  readonly outlet: WebSocketOutlet;
  paced: PacedWire | undefined;
  readonly speaksWebSocket = true;
  /** From this peer. */
  readonly received = new TrafficCounter();
  /** To this peer. */
  readonly sent = new TrafficCounter();
  /** The peer's Close frame was read. */
  closeReceived = false;
  roundTripMs: number | undefined;

  readonly #role: 'server' | 'client';
  readonly #services: LinkServices;
  readonly #compresses: boolean;
  /** Marks our heartbeat's pings, so that their pongs are told from everyone else's. Made for the first of them. */
  #heartbeat: Buffer | undefined;
  /** When the ping was sent that is not answered yet; undefined for none. */
  #pingedAt: number | undefined;
  #writer: MessageWriter | undefined;
  #sends: OwnSends | undefined;
  #ending = false;
  #endSeen = false;

  /** @param role ours on this wire: a client masks, and leaves it to the server to end TCP (RFC 6455 section 7.1.1). */
  constructor(
    wire: Wire,
    role: 'server' | 'client',
    owner: OutletOwner,
    services: LinkServices,
    deflate?: AgreedDeflate,
  ) {
    this.#role = role;
    this.#services = services;
    this.intake = new Intake(wire);
    this.outlet = new WebSocketOutlet(wire, role === 'client', owner, services.watch, services.limits);
    this.#compresses = deflate !== undefined;
    if (deflate !== undefined) this.#writer = this.#createWriter(deflate);
  }

  get wire(): Wire {
    return this.outlet.wire;
  }

  /** Whether a frame may go out as it came in: we do not compress, and nothing waits before it. */
  get passesFrames(): boolean {
    return !this.#compresses && !this.outlet.mustWait && !this.outlet.closing;
  }

  /** Writes messages of the application; most connections never need it. */
  get writer(): MessageWriter {
    this.#writer ??= this.#createWriter();
    return this.#writer;
  }

  #createWriter(deflate?: AgreedDeflate): MessageWriter {
    return new MessageWriter(this.outlet, deflate, passedLevel((this.#services.outbound ?? IN_ORDER).priorities));
  }

  get bufferedBytes(): number {
    return this.outlet.bufferedBytes;
  }

  get closeWritten(): boolean {
    return this.outlet.closeWritten;
  }

  /** What the application sends. */
  get sends(): OwnSends {
    const { limits, outbound = IN_ORDER } = this.#services;
    this.#sends ??= new OwnSends(this, limits.maxQueuedBytes, outbound);
    return this.#sends;
  }

  get dropped(): TrafficCounter | undefined {
    return this.#sends?.dropped;
  }

  get own(): TrafficCounter | undefined {
    return this.#sends?.own;
  }

  clearQueue(): number {
    return this.#sends?.clear() ?? 0;
  }

  send(message: Message): SendResult {
    return this.outlet.closing || this.wire.closed ? 'closed' : this.sends.send(message);
  }

  ping(payload: Message): SendResult {
    return this.sends.ping(payload);
  }

  takeExcuse(): boolean {
    const excused = takeExcuse(this);
    // A ping of ours that went out late, behind a large frame that we cut to our pace, is answered late.
    const late = this.outlet.takeControlWait() && this.paced?.full === false;
    return excused || late;
  }

  sendHeartbeat(): void {
    this.#heartbeat ??= randomBytes(8);
    this.#pingedAt = performance.now();
    this.outlet.control(Opcode.Ping, this.#heartbeat);
  }

  /** Tells the answer to our own heartbeat, which goes no further, from every other pong. */
  takeHeartbeat(payload: Uint8Array): boolean {
    if (this.#heartbeat?.equals(payload) !== true) return false;
    // A peer may say it again.
    if (this.#pingedAt !== undefined) this.#measured(performance.now() - this.#pingedAt);
    return true;
  }

  #measured(roundTripMs: number): void {
    this.#pingedAt = undefined;
    this.roundTripMs = Math.round(roundTripMs * 1000) / 1000;
    this.#services.roundTrip?.(this.#role === 'server' ? 'downstream' : 'upstream', this.roundTripMs);
  }

  sendClose(code: CloseStatus, reason: string): void {
    this.paced?.lift();
    if (code === CloseIndicator.Abnormal || code === CloseIndicator.TlsFailed) this.wire.terminate();
    else this.writer.close(code, reason);
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.outlet.whenClosed(() => {
      if (this.#role === 'server' || this.#endSeen) this.wire.end();
    });
  }

  onEnd(): void {
    this.#endSeen = true;
    if (this.#ending) this.wire.end();
    // Behind a Close frame nothing is missing, and ours may still go.
    else if (this.closeReceived) this.end();
    else this.wire.terminate();
  }

  onClosed(): void {
    this.outlet.closed();
    this.#writer?.closed();
  }
}

const IN_ORDER: OutboundOptions = { priorities: { text: 1, binary: 1, ping: 0 }, overflow: 'reject' };

/** A side that speaks plain bytes: a `tcp:`, `tls:` or `unix:` target. */
export class ByteLink implements Link {
  readonly intake: Intake;
  readonly outlet: Outlet;
  paced: PacedWire | undefined;
  readonly speaksWebSocket = false;
  readonly roundTripMs = undefined;
  // Where bytes are only passed on, both are those of the other side.
  #received: TrafficCounter | undefined;
  #sent: TrafficCounter | undefined;
  readonly #peerEnded: () => void;

  /** @param peerEnded called when the target's FIN came. */
  constructor(wire: Wire, owner: OutletOwner, services: LinkServices, peerEnded: () => void) {
    this.#peerEnded = peerEnded;
    this.intake = new Intake(wire);
    this.outlet = new Outlet(wire, owner, services.watch, services.limits);
  }

  get received(): TrafficCounter {
    this.#received ??= new TrafficCounter();
    return this.#received;
  }

  get sent(): TrafficCounter {
    this.#sent ??= new TrafficCounter();
    return this.#sent;
  }

  get wire(): Wire {
    return this.outlet.wire;
  }

  takeExcuse(): boolean {
    return takeExcuse(this);
  }

  /** TCP has no heartbeat of its own; keepalive is the operating system's. */
  sendHeartbeat(): void {}

  sendClose(): void {
    this.wire.end();
  }

  end(): void {
    this.wire.end();
  }

  onEnd(): void {
    this.#peerEnded();
  }

  onClosed(): void {
    this.outlet.closed();
  }
}

/** The bytes that are held for one side. */
export function heldBy({ wire, outlet, paced }: Link): number {
  return wire.closed ? 0 : outlet.bufferedBytes + (paced?.unreadBytes ?? 0);
}

/** All are taken, whatever the first one answers. */
export function takeExcuse({ intake, outlet, paced }: Link): boolean {
  const deaf = intake.takeDeafness();
  const waited = paced?.takeWait() ?? false;
  return outlet.takeProgress() || deaf || waited;
}
