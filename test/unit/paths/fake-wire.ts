/**
 * Owns a wire without a socket: what is written is kept, what is read is given by the test. Refuses to decide when it is
 * full; the test does.
 */

import type { Violation } from '../../../src/protocol/violation.js';
import { type ForwarderOptions, FrameForwarder } from '../../../src/server/paths/frame-forwarder.js';
import { type LinkServices, WebSocketLink } from '../../../src/server/paths/links.js';
import type { OutletOwner } from '../../../src/server/paths/outlet.js';
import { PressureWatch } from '../../../src/server/paths/pressure-watch.js';
import { MemoryBudget } from '../../../src/server/shaping/memory-budget.js';
import { Pacer } from '../../../src/server/shaping/pacer.js';
import type { Wire, WireReader } from '../../../src/server/wires/wire.js';
import { FrameParser, type ReceivedFrame } from '../../support/frames.js';

/** A wire in memory. */
export class FakeWire implements Wire {
  before: Wire | undefined;
  behind: Wire | undefined;
  pass: undefined;
  readonly addresses = { remoteAddress: '192.0.2.1', remotePort: 1, localAddress: '192.0.2.2', localPort: 2 };
  readonly tls = undefined;
  readonly writes: Buffer[] = [];
  /** What `write` answers: true until the test says that it is full. */
  roomy = true;
  bufferedBytes = 0;
  bytesRead = 0;
  bytesWritten = 0;
  closed = false;
  reading = false;
  probes = 0;
  ended = false;
  corked = 0;
  reader: WireReader | undefined;

  attach(reader: WireReader): void {
    this.reader = reader;
  }

  read(): void {
    this.reading = true;
  }

  stopReading(): void {
    this.reading = false;
  }

  watch(): void {
    this.reading = false;
  }

  release(): undefined {}

  unread(_bytes: Buffer): void {}

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    // A copy: what is handed on may be changed afterwards.
    this.writes.push(Buffer.from(bytes.subarray(start, end)));
    this.bytesWritten += end - start;
    return this.roomy;
  }

  cork(): void {
    this.corked += 1;
  }

  uncork(): boolean {
    this.corked -= 1;
    return this.roomy;
  }

  end(): void {
    this.ended = true;
  }

  terminate(): void {
    this.closed = true;
  }

  probe(): void {
    this.probes += 1;
  }

  /** Everything that was written. */
  get written(): Buffer {
    return Buffer.concat(this.writes);
  }

  /** The frames that were written; their payloads unmasked. */
  get frames(): ReceivedFrame[] {
    return new FrameParser().push(this.written);
  }
}

/** Writes down what an outlet tells its owner. */
export class OwnerRecord implements OutletOwner {
  readonly lines: string[] = [];
  onThrottled = () => void this.lines.push('throttled');
  onUnthrottled = () => void this.lines.push('unthrottled');
  onDrained = () => void this.lines.push('drained');
  onStillBlocked = () => void this.lines.push('still blocked');
  onHolding = () => {};
  onOverflow = () => void this.lines.push('overflow');
  onProgress = () => void this.lines.push('progress');
}

/** Services with these marks; the watch looks every 20 ms. */
export function services(limits: Partial<LinkServices['limits']> = {}): LinkServices {
  return {
    watch: new PressureWatch(20),
    pacer: new Pacer(),
    budget: new MemoryBudget(0),
    limits: { highWaterMark: 1000, lowWaterMark: 100, maxQueuedBytes: 10_000, ...limits },
  };
}

/** One side of a path on a wire in memory. */
export function fakeLink(role: 'server' | 'client', options: LinkServices = services()) {
  const wire = new FakeWire();
  const owner = new OwnerRecord();
  return { wire, owner, link: new WebSocketLink(wire, role, owner, options) };
}

/** A forwarder whose frames come from the test, and what it tells. */
export class TestForwarder extends FrameForwarder {
  readonly told: string[] = [];
  readonly #to: WebSocketLink;

  constructor(options: ForwarderOptions, to: WebSocketLink) {
    super(options);
    this.#to = to;
  }

  protected get to(): WebSocketLink {
    return this.#to;
  }

  protected onClose(code: number, reason: string): void {
    this.told.push(`close ${code} ${reason}`);
  }

  protected onViolation({ error }: Violation): void {
    this.told.push(error);
  }
}
