/**
 * Owns what all data paths have in common: the two links of a pair, who stops reading when the other side is full,
 * and what the ends of the wires mean. Refuses to know what is inside the bytes; each path does.
 */
import { Buffer } from 'node:buffer';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { type Ending, failure } from '../../actors/ending.js';
import { addTraffic, type PairSums, type SideSum } from '../../actors/pair-sums.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import type { StreamPlace } from '../../protocol/frame-scanner.js';
import type { Violation } from '../../protocol/violation.js';
import { CloseCode, CloseIndicator } from '../../receivers/index.js';
import { OFFENCES, VIOLATION_WEIGHTS } from '../admission/offences.js';
import { FloodGuard, type FloodLimits } from '../shaping/flood-guard.js';
import { FrameInspector } from '../shaping/frame-inspector.js';
import type { Holder, Holding } from '../shaping/memory-budget.js';
import type { Rates } from '../shaping/paced-wire.js';
import type { Wire, WireReader } from '../wires/wire.js';
import { paceLink } from './link-wires.js';
import { ByteLink, type DownLink, heldBy, type Link, type LinkServices, WebSocketLink } from './links.js';
import type { AgreedDeflate } from './message-writer.js';
import type { OutletOwner } from './outlet.js';
import { DownSide, type SidedPath, UpSide } from './sides.js';
import { WebSocketOutlet } from './websocket-outlet.js';

/** What a frame or message may be like at most. */
export interface PathLimits {
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
}

/** What a data path is made of. */
export interface PathOptions {
  readonly connection: ConnectionActor;
  readonly wire: Wire;
  readonly services: LinkServices;
  readonly limits: PathLimits;
  /** permessage-deflate toward the client, where this path does it. */
  readonly deflate?: AgreedDeflate | undefined;
}

/** How an upstream that was dialled is put in place. */
export interface UpstreamOptions {
  readonly upstream: UpstreamActor;
  readonly wire: Wire;
  readonly speaksWebSocket: boolean;
  /** Whether a target's FIN leaves the way to it open. */
  readonly halfClose: boolean;
  readonly deflate?: AgreedDeflate | undefined;
}

/** The way of the bytes of one connection. */
export abstract class DataPath<Down extends DownLink = DownLink> implements Holder, SidedPath {
  holding: Holding | undefined;
  abstract readonly kind: 'frames' | 'stream' | 'messages' | 'bytes';
  readonly down: Down;
  readonly connection: ConnectionActor;
  protected readonly limits: PathLimits;
  /** Looks at the client's frames, where somebody wants to know of them. */
  protected readonly inspector: FrameInspector | undefined;
  up: Link | undefined;
  upstream: UpstreamActor | undefined;
  readonly #services: LinkServices;
  readonly #downSide: DownSide;
  #upSide: UpSide | undefined;
  #started = false;

  /** @param createDown makes the client's side; it is called within this constructor. */
  protected constructor(options: PathOptions, createDown: (owner: OutletOwner) => Down) {
    const { connection, wire } = options;
    this.connection = connection;
    this.limits = options.limits;
    this.#services = options.services;
    const side = new DownSide(this, connection);
    this.down = createDown(side);
    side.link = this.down;
    this.#downSide = side;
    wire.attach(side);
    this.inspector = this.#inspect();
  }

  /** Changes how large the messages of the client may be as they are on the wire, where they are assembled. 0 = any size. */
  limitMessages(_bytes: number): void {}

  /** Puts the upstream in place. It is read as soon as the path was started. */
  connect(options: UpstreamOptions): Link {
    const { upstream, wire } = options;
    const side = new UpSide(this, upstream);
    const link = options.speaksWebSocket
      ? new WebSocketLink(wire, 'client', side, this.#services, options.deflate)
      : new ByteLink(wire, side, this.#services, () => this.onUpEnd(options));
    side.link = link;
    this.up = link;
    this.#upSide = side;
    this.upstream = upstream;
    this.onUpstream(link, options);
    wire.attach(side);
    this.#paceUp();
    if (this.#started && upstream.reading) link.intake.allow();
    return link;
  }

  /** The application was told that the connection is open: the target may be read. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.upstream?.reading) this.up?.intake.allow();
  }

  /** Keeps to these rates from now on: what comes from the client, and what goes to it. */
  limitRate(rates: Rates): void {
    paceLink(this.down, this.#downSide, this.#services.pacer).limit(rates);
    this.#paceUp();
  }

  // For who looks at the client's wire.

  /** Who reads the client's wire. */
  downReader(): WireReader {
    return this.down.paced ?? this.#downSide;
  }

  /** Where the client's stream is, as far as it was dealt with. */
  placeFromClient(): StreamPlace {
    return BETWEEN_FRAMES;
  }

  /** Bytes that are still to be written toward the client of what began before. */
  skipToClient(): number {
    return (this.down.paced?.queuedBytes ?? 0) + this.forwardedSkip;
  }

  /** Those of a frame that is passed on. */
  protected get forwardedSkip(): number {
    return 0;
  }

  // What is held for this connection, over both sides.

  get heldBytes(): number {
    return heldBy(this.down) + (this.up === undefined ? 0 : heldBy(this.up));
  }

  hold(): void {
    this.#services.budget.note(this);
  }

  letGo(): void {
    const reason = 'the server holds too much for its connections';
    this.connection.close(failure('proxy', 'OVERLOADED', CloseCode.TryAgainLater, reason));
  }

  cut(): void {
    const ending: Ending = { initiator: 'proxy', cause: 'OVERLOADED', code: CloseIndicator.Abnormal, reason: '' };
    this.connection.requestTerminate(ending);
    this.upstream?.requestTerminate(ending);
  }

  // What was carried, for whoever asks.

  /** Adds what both sides have carried so far, and hold. */
  addTo(sums: PairSums): void {
    const { down, up } = this;
    const { downstream, upstream } = sums;
    addTraffic(downstream.received, down.received);
    addTraffic(downstream.sent, down.sent);
    downstream.sent.controls += controlsTo(down);
    downstream.bufferedBytes += down.wire.closed ? 0 : down.bufferedBytes;
    sums.dropped += down.dropped?.messages ?? 0;
    if (up === undefined) return;
    this.addUpstream(upstream, up);
    upstream.sent.controls += controlsTo(up);
    upstream.bufferedBytes += up.wire.closed ? 0 : up.outlet.bufferedBytes;
  }

  /** Where everything is passed on as it comes, one side has sent what the other has received, but for what the application sends. */
  protected addUpstream({ received, sent }: SideSum, up: Link): void {
    const { down } = this;
    const passed = { bytes: down.sent.bytes - (down.own?.bytes ?? 0), messages: 0, fragments: 0, controls: 0 };
    const taken = { bytes: down.received.bytes, messages: 0, fragments: 0, controls: 0 };
    if (up.speaksWebSocket) {
      passed.messages = down.sent.messages - (down.own?.messages ?? 0);
      passed.fragments = down.sent.fragments;
      passed.controls = up.received.controls;
      taken.messages = down.received.messages;
      taken.fragments = down.received.fragments;
    }
    addTraffic(received, passed);
    addTraffic(sent, taken);
  }

  #inspect(): FrameInspector | undefined {
    const { limits, messagePolicy, pacer } = this.#services;
    const guarded = hasFloodLimits(limits);
    if (!guarded && messagePolicy === undefined) return undefined;
    const guard = guarded ? new FloodGuard(pacer, limits, (why) => this.#flooded(why)) : undefined;
    if (guard !== undefined) paceLink(this.down, this.#downSide, pacer).guard(guard);
    return new FrameInspector(this.connection.handle, guard, messagePolicy);
  }

  #flooded(why: string): void {
    this.inspector?.stop();
    this.onDownGone();
    this.#offend(OFFENCES.flood, why);
    this.#end({ error: 'RATE_LIMITED', code: CloseCode.PolicyViolation, message: why });
  }

  /** The target is read in pieces that fit the rate toward the client, so that what is held for it stays small. */
  #paceUp(): void {
    const { up, down } = this;
    if (up === undefined || this.#upSide === undefined || down.paced === undefined) return;
    paceLink(up, this.#upSide, this.#services.pacer, down.paced);
  }

  // What the two sides tell.

  abstract onDownBytes(chunk: Buffer): void;
  abstract onUpBytes(chunk: Buffer): void;

  /** The FIN of a target that speaks plain bytes came. */
  protected onUpEnd({ upstream, halfClose }: UpstreamOptions): void {
    if (!halfClose) upstream.onPeerClose(1000, '');
  }

  /** The upstream's link was put in place. */
  protected onUpstream(_link: Link, _options: UpstreamOptions): void {}

  /** Nothing more comes from the client: its wire is gone, or is not listened to any more. Before its actor is told. */
  onDownGone(): void {}

  /** The target's wire is gone, before its actor is told. */
  onUpGone(): void {}

  onDownDrained(): void {
    this.up?.intake.unblock();
  }

  onUpDrained(): void {
    this.down.intake.unblock();
  }

  /** The client broke a rule. */
  violated(violation: Violation): void {
    const weight = VIOLATION_WEIGHTS[violation.error];
    if (weight !== undefined) this.#offend(weight, violation.message);
    this.#end(violation);
  }

  #end(violation: Violation): void {
    this.connection.onViolation(endingFor(violation));
  }

  #offend(weight: number, why: string): void {
    const { remoteAddress, remotePort } = this.connection.request;
    this.#services.offence?.({ ...this.down.wire.addresses, remoteAddress, remotePort }, weight, why);
  }

  /** The target broke a rule. */
  upstreamViolated(violation: Violation): void {
    this.upstream?.onViolation({ ...endingFor(violation), initiator: 'upstream' });
  }
}

const BETWEEN_FRAMES: StreamPlace = { skip: 0, held: Buffer.alloc(0) };

function hasFloodLimits(limits: Partial<FloodLimits>): limits is FloodLimits {
  return (limits.messagesPerSecond ?? 0) > 0 || (limits.bytesPerSecond ?? 0) > 0;
}

/** Makes the side of a client that speaks WebSocket. */
export function downLinkOf({ wire, services, deflate }: PathOptions): (owner: OutletOwner) => WebSocketLink {
  return (owner) => new WebSocketLink(wire, 'server', owner, services, deflate);
}

/** The way of a client that speaks WebSocket. */
export abstract class WebSocketPath extends DataPath<WebSocketLink> {
  constructor(options: PathOptions) {
    super(options, downLinkOf(options));
  }
}

function controlsTo({ outlet }: Link): number {
  return outlet instanceof WebSocketOutlet ? outlet.controls : 0;
}

function endingFor(violation: Violation): Ending {
  return failure('proxy', violation.error, violation.code, violation.message);
}
