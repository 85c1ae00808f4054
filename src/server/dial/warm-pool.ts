/**
 * Owns the connections to one byte target that were dialled ahead of need: how many, how old, and how often it is tried when
 * the target does not want them. Refuses to know who takes them, and to report a failure: then nothing is warm, and whoever
 * needs a connection dials, and learns why.
 */
import type { ProxyConfig } from '../config/options.js';
import type { Wire, WireReader } from '../wires/wire.js';
import { DialAbort, type DialSignal } from './dial-signal.js';
import { dialTarget } from './dial-target.js';
import type { Dialer } from './dialer.js';
import { parseTarget, type Target } from './target.js';

/** Targets and middleboxes drop connections that carry nothing; few do so within a minute. */
const LONGEST_AGE = 60_000;
/** The share of the age that is taken off at random: connections that were made together do not all go together. */
const AGE_JITTER = 0.25;
/** Dials at a time. Not those of `limits.maxConcurrentDials`: a client must never wait behind a dial that nobody needs yet. */
const MOST_DIALS = 16;
const SHORTEST_WAIT = 100;
/** Also how long a connection must have lived to say that its target takes connections. */
const LONGEST_WAIT = 10_000;

const NOTHING = Buffer.alloc(0);
/** Nobody is told: the reason of a dial that is given up. */
const CALLED_OFF = new Error('nobody needs this connection');

/** What a pool is made of. */
export interface WarmPoolOptions {
  /** The normal form of the target. */
  readonly href: string;
  /** How many connections to keep. */
  readonly size: number;
  /** Bytes kept of what a target sends first; what goes beyond waits in the operating system. */
  readonly highWaterMark: number;
  /** Milliseconds a dial may take. */
  readonly dialTimeout: number;
  dial(signal: DialSignal): Promise<Wire>;
}

/** The pool that the options ask for, if they do. Only a plain TCP connection means nothing before it is used. */
export function createWarmPool(config: ProxyConfig, dialer: Dialer): WarmPool | undefined {
  const { warmConnections: size, timeouts } = config;
  const { highWaterMark } = config.limits;
  if (size === 0 || config.target === undefined) return undefined;
  const target = parseTarget(config.target);
  if (target.kind !== 'tcp' || target.secure) return undefined;
  const dial = (signal: DialSignal) => dialTarget(target, dialer.optionsFor({ signal }));
  return new WarmPool({ href: target.href, size, highWaterMark, dialTimeout: timeouts.dial, dial });
}

/** Connections that wait to be taken. */
export class WarmPool {
  readonly #options: WarmPoolOptions;
  /** The oldest first. */
  readonly #idle = new Set<WarmWire>();
  readonly #dials = new Set<DialAbort>();
  /** Dials, and connections on their way out: what closing waits for. */
  readonly #underWay = new Set<Promise<void>>();
  /** Dials that failed and connections that the target ended, since one was taken or proved to last. */
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  /** How many connections wait to be taken. */
  get idle(): number {
    return this.#idle.size;
  }

  /** Begins to dial. */
  start(): void {
    this.#fill();
  }

  /**
   * The oldest connection to that target, or undefined when there is none. It is as one that was just dialled: not read yet,
   * and what the target sent first comes first. Another one is dialled in its place.
   */
  take(target: Target): Wire | undefined {
    if (target.href !== this.#options.href) return undefined;
    for (const warm of this.#idle) {
      // A reset may have arrived that nobody was told of yet. A closed wire tells so itself, and is forgotten then.
      warm.wire.probe();
      if (warm.wire.closed) continue;
      this.#idle.delete(warm);
      this.#failures = 0;
      this.#fill();
      return warm.release();
    }
    return undefined;
  }

  /** Closes every connection and dials no more. Resolves when nothing is left; what was taken is not the pool's any more. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#retry);
    for (const abort of this.#dials) abort.abort(CALLED_OFF);
    for (const warm of this.#idle) this.#discard(warm);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #fill(): void {
    // A target that failed is asked by one dial at a time, until it has proved itself.
    const most = this.#failures === 0 ? MOST_DIALS : 1;
    while (
      !this.#closing &&
      this.#retry === undefined &&
      this.#dials.size < most &&
      this.#idle.size + this.#dials.size < this.#options.size
    ) {
      this.#track(this.#dial());
    }
  }

  async #dial(): Promise<void> {
    const abort = new DialAbort();
    this.#dials.add(abort);
    const timer = setTimeout(() => abort.abort(CALLED_OFF), this.#options.dialTimeout).unref();
    try {
      this.#keep(await this.#options.dial(abort));
    } catch {
      this.#failed();
    } finally {
      clearTimeout(timer);
      this.#dials.delete(abort);
    }
    this.#fill();
  }

  #keep(wire: Wire): void {
    if (wire.closed) {
      this.#failed();
      return;
    }
    const warm = new WarmWire(wire, this.#options.highWaterMark, {
      lost: () => this.#lost(warm),
      expired: () => this.#expired(warm),
    });
    this.#idle.add(warm);
    warm.start();
    // The dial may have been done when it was too late to abort it.
    if (this.#closing) this.#discard(warm);
  }

  /** The target ended it before anybody needed it. */
  #lost(warm: WarmWire): void {
    if (!this.#discard(warm)) return;
    if (warm.age >= LONGEST_WAIT) this.#failures = 0;
    this.#failed();
  }

  #expired(warm: WarmWire): void {
    this.#discard(warm);
    this.#failures = 0;
    this.#fill();
  }

  /** Answers whether it was still there to be taken. */
  #discard(warm: WarmWire): boolean {
    if (!this.#idle.delete(warm)) return false;
    this.#track(warm.discard());
    return true;
  }

  /** Waits before the next dial. Failures during the wait are those of the same moment. */
  #failed(): void {
    if (this.#closing || this.#retry !== undefined) return;
    const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.#fill();
      },
      wait * (0.5 + Math.random() / 2),
    ).unref();
  }

  #track(promise: Promise<void>): void {
    this.#underWay.add(promise);
    void promise.then(() => this.#underWay.delete(promise));
  }
}

/** What becomes of a connection that nobody takes. */
interface WarmWireOwner {
  /** The target ended or reset it. */
  lost(): void;
  expired(): void;
}

/** One connection while it waits. It is read, because a FIN is told to nobody else; what comes is kept. */
class WarmWire implements WireReader {
  readonly wire: Wire;
  readonly #since = performance.now();
  readonly #bound: number;
  readonly #owner: WarmWireOwner;
  readonly #expiry: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  #tellClosed: () => void = () => {};
  #early = NOTHING;

  constructor(wire: Wire, bound: number, owner: WarmWireOwner) {
    this.wire = wire;
    this.#bound = bound;
    this.#owner = owner;
    this.#closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
    const age = LONGEST_AGE * (1 - AGE_JITTER * Math.random());
    this.#expiry = setTimeout(() => owner.expired(), age).unref();
  }

  /** Begins to read; the owner may be told at once. */
  start(): void {
    this.wire.attach(this);
    this.wire.read();
  }

  /** Milliseconds. */
  get age(): number {
    return performance.now() - this.#since;
  }

  /** Gives the wire away; whoever gets it attaches a reader before the next turn of the event loop. */
  release(): Wire {
    clearTimeout(this.#expiry);
    this.wire.watch();
    this.wire.unread(this.#early);
    return this.wire;
  }

  /** Resolves when the wire is gone. */
  discard(): Promise<void> {
    clearTimeout(this.#expiry);
    this.#early = NOTHING;
    this.wire.terminate();
    return this.#closed;
  }

  onBytes(chunk: Buffer): void {
    // Joined each time: a banner comes in one piece or two, and more than the bound is never joined.
    this.#early = Buffer.concat([this.#early, chunk]);
    if (this.#early.length >= this.#bound) this.wire.stopReading();
  }

  /** Even when bytes came before it: whoever dials gets them anew, and a connection that can be written to. */
  onEnd(): void {
    this.#owner.lost();
  }

  onDrain(): void {}

  onClosed(): void {
    this.#tellClosed();
    this.#owner.lost();
  }
}
