/**
 * Owns what the socket and the outlet of each side tell, and whom: the actor of that side, and the path for the other one. Refuses to
 * know what is inside the bytes.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { failure } from '../../actors/ending.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import { CloseCode } from '../../receivers/index.js';
import type { WireReader } from '../wires/wire.js';
import type { Link } from './links.js';
import type { OutletOwner } from './outlet.js';

/** A path, as its two sides see it. */
export interface SidedPath {
  readonly down: Link;
  readonly up: Link | undefined;
  onDownBytes(chunk: Buffer): void;
  onUpBytes(chunk: Buffer): void;
  onDownGone(): void;
  onUpGone(): void;
  onDownDrained(): void;
  onUpDrained(): void;
  /** Bytes are held for this connection. */
  hold(): void;
}

/** One wire of a path, with what its socket and its outlet tell. A class and not closures: every connection has two. */
abstract class Side implements OutletOwner, WireReader {
  link!: Link;
  protected readonly path: SidedPath;

  constructor(path: SidedPath) {
    this.path = path;
  }

  onEnd(): void {
    this.link.onEnd();
  }

  onDrain(): void {
    this.link.outlet.drained();
  }

  abstract onBytes(chunk: Buffer): void;
  abstract onClosed(): void;
  abstract onThrottled(): void;
  abstract onUnthrottled(): void;
  abstract onProgress(): void;
  abstract onDrained(): void;
  abstract onStillBlocked(): void;
  abstract onOverflow(): void;

  onHolding(): void {
    this.path.hold();
  }
}

/** The client's. */
export class DownSide extends Side {
  readonly #connection: ConnectionActor;

  constructor(path: SidedPath, connection: ConnectionActor) {
    super(path);
    this.#connection = connection;
  }

  onBytes(chunk: Buffer): void {
    this.path.onDownBytes(chunk);
  }

  onClosed(): void {
    this.link.onClosed();
    this.path.onDownGone();
    this.#connection.onClosed(1006, '');
    // With nobody to write to, the target is read on to find its end.
    this.path.up?.intake.unblock();
  }

  onThrottled(): void {
    this.#connection.onThrottled();
  }

  onUnthrottled(): void {
    this.#connection.onUnthrottled();
  }

  onProgress(): void {
    this.#connection.send({ type: 'write.progressed' });
  }

  onDrained(): void {
    this.path.onDownDrained();
  }

  onStillBlocked(): void {
    this.path.up?.wire.probe();
  }

  onOverflow(): void {
    const reason = 'more is waiting to be sent than may wait';
    this.#connection.close(failure('proxy', 'SEND_OVERFLOW', CloseCode.PolicyViolation, reason));
  }
}

/** The target's. */
export class UpSide extends Side {
  readonly #upstream: UpstreamActor;

  constructor(path: SidedPath, upstream: UpstreamActor) {
    super(path);
    this.#upstream = upstream;
  }

  onBytes(chunk: Buffer): void {
    this.path.onUpBytes(chunk);
  }

  onClosed(): void {
    this.link.onClosed();
    this.path.onUpGone();
    this.#upstream.onClosed();
    this.path.down.intake.unblock();
  }

  onThrottled(): void {
    this.#upstream.onThrottled();
  }

  onUnthrottled(): void {
    this.#upstream.onUnthrottled();
  }

  onProgress(): void {
    this.#upstream.send({ type: 'write.progressed' });
  }

  onDrained(): void {
    this.path.onUpDrained();
  }

  onStillBlocked(): void {
    this.path.down.wire.probe();
  }

  onOverflow(): void {}
}
