/**
 * Owns one connection of a client that sends plain requests: whose turn it is, how long it may take to send a head, and how long it is
 * kept between two requests. Refuses to read HTTP and to answer it.
 */
import type { TimerWheel } from '../../actors/timer-wheel.js';
import { LINGER_MS } from '../handshake/linger.js';
import type { AcceptedWire, Wire } from '../wires/wire.js';
import { Deadline } from './deadline.js';
import { WireDuplex } from './wire-duplex.js';

/** How long a connection may wait. Milliseconds. */
export interface StreamTimes {
  /** From the first byte of a head to its last. */
  readonly head: number;
  /** Between two requests. 0 keeps no connection. */
  readonly keepAlive: number;
  /** Until the client has read the last bytes. */
  readonly writeStall: number;
}

/** Requests that may wait behind the one that is being answered before no more is read. */
const MAX_WAITING = 1;

/** A connection of a client, as a stream for the HTTP parser. */
export class DownstreamStream extends WireDuplex {
  readonly accepted: AcceptedWire;
  readonly #times: StreamTimes;
  readonly #deadline: Deadline;
  readonly #slow: (stream: DownstreamStream) => void;
  #turn = Promise.resolve();
  /** Requests that came and are not answered. */
  #pending = 0;
  #isNew = true;
  #readsHead = true;
  #isRead = false;
  #closing = false;

  /**
   * @param head the bytes that were read of it, which come first.
   * @param slow told when a head did not come in time, to answer and end it.
   */
  constructor(
    wire: AcceptedWire,
    head: Buffer,
    wheel: TimerWheel,
    times: StreamTimes,
    slow: (stream: DownstreamStream) => void,
  ) {
    super();
    this.accepted = wire;
    this.#times = times;
    this.#slow = slow;
    this.#deadline = new Deadline(wheel);
    this.takeWire(wire);
    this.push(head);
    this.#awaitHead();
  }

  /** Whether no request has come yet but the one that it was taken for. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** Whether a request is being answered. */
  get busy(): boolean {
    return this.#pending > 0;
  }

  /** Whether it is to be closed behind the answer that goes next. */
  get closing(): boolean {
    return this.#closing || this.#times.keepAlive === 0;
  }

  /** A request came; it is run when those before it are answered. `run` never rejects. */
  enqueue(run: () => Promise<void>): void {
    this.#deadline.end();
    this.#readsHead = false;
    this.#isNew = false;
    this.#pending += 1;
    this.#turn = this.#turn.then(async () => {
      // Behind the last answer of a connection no other one may stand.
      if (!this.destroyed && !this.writableEnded) await run();
      this.#pending -= 1;
      this.#goOn();
    });
  }

  /** Closes it: at once if it waits for a request, else behind the answer. */
  closeSoon(): void {
    this.#closing = true;
    if (!this.busy) this.end();
  }

  override onBytes(chunk: Buffer): void {
    if (!this.busy && !this.#readsHead) this.#awaitHead();
    super.onBytes(chunk);
  }

  override onEnd(): void {
    // Whoever ends its direction while it is to be answered has left: a client that only has said its last word would wait for ours.
    if (this.busy) this.destroy();
    else super.onEnd();
  }

  override _read(): void {
    this.#isRead = true;
    // A client may send many requests ahead: they wait in the system.
    if (this.#pending > MAX_WAITING) this.wire?.watch();
    else super._read();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#deadline.end();
    super._destroy(error, done);
  }

  protected override lingers(wire: Wire): number {
    return wire.bufferedBytes > 0 ? Math.max(this.#times.writeStall, LINGER_MS) : LINGER_MS;
  }

  #awaitHead(): void {
    this.#readsHead = true;
    this.#deadline.begin(this.#times.head, () => this.#slow(this));
  }

  #goOn(): void {
    if (this.destroyed || this.writableEnded) return;
    if (this.#isRead && this.#pending <= MAX_WAITING) this.wire?.read();
    if (this.busy) return;
    if (this.closing) this.end();
    else this.#deadline.begin(this.#times.keepAlive, () => this.end());
  }
}
