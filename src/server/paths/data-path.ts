/**
 * Owns what the three data paths have in common: the two links of a pair, who stops reading when the other side is full,
 * and what the ends of the wires mean. Refuses to know what is inside the bytes; each path does.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { type Ending, failure } from '../../actors/ending.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import type { Violation } from '../../protocol/violation.js';
import { ByteLink, type Link, type LinkServices, WebSocketLink } from './links.js';
import type { AgreedDeflate } from './message-writer.js';
import type { Wire, WireReader } from './wire.js';

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
export abstract class DataPath {
  abstract readonly kind: 'frames' | 'stream' | 'messages';
  readonly down: WebSocketLink;
  protected readonly connection: ConnectionActor;
  protected readonly limits: PathLimits;
  protected up: Link | undefined;
  protected upstream: UpstreamActor | undefined;
  readonly #services: LinkServices;
  #started = false;

  constructor(options: PathOptions) {
    const { connection, wire } = options;
    this.connection = connection;
    this.limits = options.limits;
    this.#services = options.services;
    this.down = new WebSocketLink(
      wire,
      'server',
      {
        onThrottled: () => connection.onThrottled(),
        onProgress: () => connection.send({ type: 'write.progressed' }),
        onUnthrottled: () => connection.onUnthrottled(),
        onDrained: () => this.onDownDrained(),
        onStillBlocked: () => this.up?.wire.probe(),
      },
      options.services,
      options.deflate,
    );
    wire.attach(
      readerOf(
        this.down,
        (chunk) => this.onDownBytes(chunk),
        () => {
          this.onDownGone();
          connection.onClosed(1006, '');
          // With nobody to write to, the target is read on to find its end.
          this.up?.intake.unblock();
        },
      ),
    );
  }

  /** Puts the upstream in place. It is read as soon as the path was started. */
  connect(options: UpstreamOptions): Link {
    const { upstream, wire } = options;
    const owner = {
      onThrottled: () => upstream.onThrottled(),
      onProgress: () => upstream.send({ type: 'write.progressed' }),
      onUnthrottled: () => upstream.onUnthrottled(),
      onDrained: () => this.onUpDrained(),
      onStillBlocked: () => this.down.wire.probe(),
    };
    const link = options.speaksWebSocket
      ? new WebSocketLink(wire, 'client', owner, this.#services, options.deflate)
      : new ByteLink(wire, owner, this.#services, () => {
          if (!options.halfClose) upstream.onPeerClose(1000, '');
        });
    this.up = link;
    this.upstream = upstream;
    this.onUpstream(link, options);
    wire.attach(
      readerOf(
        link,
        (chunk) => this.onUpBytes(chunk),
        () => {
          this.onUpGone();
          upstream.onClosed();
          this.down.intake.unblock();
        },
      ),
    );
    if (this.#started && upstream.reading) link.intake.allow();
    return link;
  }

  /** The application was told that the connection is open: the target may be read. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    if (this.upstream?.reading) this.up?.intake.allow();
  }

  protected abstract onDownBytes(chunk: Buffer): void;
  protected abstract onUpBytes(chunk: Buffer): void;

  /** The upstream's link was put in place. */
  protected onUpstream(_link: Link, _options: UpstreamOptions): void {}

  /** The client's wire is gone, before its actor is told. */
  protected onDownGone(): void {}

  /** The target's wire is gone, before its actor is told. */
  protected onUpGone(): void {}

  protected onDownDrained(): void {
    this.up?.intake.unblock();
  }

  protected onUpDrained(): void {
    this.down.intake.unblock();
  }

  /** The client broke a rule. */
  protected violated(violation: Violation): void {
    this.connection.onViolation(endingFor(violation));
  }

  /** The target broke a rule. */
  protected upstreamViolated(violation: Violation): void {
    this.upstream?.onViolation({ ...endingFor(violation), initiator: 'upstream' });
  }
}

function endingFor(violation: Violation): Ending {
  return failure('proxy', violation.error, violation.code, violation.message);
}

function readerOf(link: Link, onBytes: (chunk: Buffer) => void, onClosed: () => void): WireReader {
  return {
    onBytes,
    onEnd: () => link.onEnd(),
    onDrain: () => link.outlet.drained(),
    onClosed: () => {
      link.onClosed();
      onClosed();
    },
  };
}
