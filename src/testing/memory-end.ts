/**
 * Owns the other end of a wire in memory as far as bytes go: whether it reads, how it ends, and what it was sent, in order. Refuses to
 * know what the bytes mean.
 */
import type { FarEnd, MemoryWire } from './memory-wire.js';
import { WaitingLine } from './waiting-line.js';

/** What came to this end. */
export type Received =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'binary'; readonly data: Buffer }
  | { readonly kind: 'ping'; readonly data: Buffer }
  | { readonly kind: 'pong'; readonly data: Buffer }
  /** A Close frame; 1005 when it carried no code. */
  | { readonly kind: 'close'; readonly code: number; readonly reason: string }
  /** Bytes that are no WebSocket frames, as they came. */
  | { readonly kind: 'bytes'; readonly data: Buffer };

/** How a connection ended, as a browser would tell. */
export interface MemoryClosed {
  /** Of the Close frame that came; 1006 when none came. */
  readonly code: number;
  readonly reason: string;
  /** Whether the server ended the connection in order, and did not cut it. */
  readonly clean: boolean;
}

/** One end of a connection in memory, the one that a test has. */
export abstract class MemoryEnd implements FarEnd {
  /** Everything that came, in order. */
  readonly received: Received[] = [];
  /** The server has ended its direction. */
  ended = false;
  /** Whether our direction is ended, too, when the server has ended its own. */
  answersEnd = true;
  readonly #given = new Set<Received>();
  readonly #line = new WaitingLine();
  #wire: MemoryWire | undefined;
  #reading = true;
  #vanished = false;
  #gone = false;

  /** Whether what comes is taken. */
  get reading(): boolean {
    return this.#reading && !this.#vanished;
  }

  /** Whether the connection is gone, from either side. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Bytes that were sent from here and that the server did not read yet, because it reads more slowly or not at all. */
  get unreadBytes(): number {
    return this.#wire?.unreadBytes ?? 0;
  }

  /** Bytes that the server wrote and that are too many to be on their way: it has to wait for this end. */
  get owedBytes(): number {
    return this.#wire?.bufferedBytes ?? 0;
  }

  /** Takes nothing any more: soon the server has to wait. */
  pauseReading(): void {
    this.#reading = false;
  }

  resumeReading(): void {
    this.#reading = true;
    if (this.reading) this.#wire?.taken();
  }

  /** Ends our direction (FIN). Bytes still come. */
  end(): void {
    if (!this.#vanished) this.#wire?.arriveEnd();
  }

  /** Resets the connection (RST): what is on its way is lost. */
  reset(): void {
    if (!this.#vanished) this.#wire?.arriveReset();
  }

  /** Is gone without a word, as one whose cable was pulled: nothing is answered, and nothing taken any more. */
  vanish(): void {
    this.#vanished = true;
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array | string): void {
    if (!this.#vanished) this.#wire?.arrive(Buffer.from(bytes as Uint8Array));
  }

  /**
   * Resolves with the first thing that came and was not answered by a `next` yet, of this kind if one is named.
   *
   * @throws Error when the connection is gone and there is none.
   */
  next(): Promise<Received>;
  next<Kind extends Received['kind']>(kind: Kind): Promise<Extract<Received, { kind: Kind }>>;
  next(kind?: Received['kind']): Promise<Received> {
    return this.until(
      () => {
        const found = this.received.find((one) => (kind ?? one.kind) === one.kind && !this.#given.has(one));
        if (found !== undefined) this.#given.add(found);
        return found;
      },
      kind === undefined ? 'anything came' : `a ${kind} came`,
    );
  }

  /** Resolves when the connection is gone, whoever ended it, and the server knows. */
  closed(): Promise<MemoryClosed> {
    return this.until(() => {
      if (!this.#gone) return undefined;
      const close = this.received.find((one) => one.kind === 'close');
      return { code: close?.code ?? 1006, reason: close?.reason ?? '', clean: this.ended };
    }, '');
  }

  onEnd(): void {
    this.ended = true;
    // In order, and not from within what the server does now.
    if (this.answersEnd) queueMicrotask(() => this.end());
    this.#line.notify();
  }

  onClosed(): void {
    this.#gone = true;
    this.#line.notify();
  }

  abstract onBytes(bytes: Buffer): void;

  protected connect(wire: MemoryWire): void {
    this.#wire = wire;
    wire.far = this;
  }

  protected take(received: Received): void {
    this.received.push(received);
    this.#line.notify();
  }

  /** Something is to be looked at that is no message. */
  protected notify(): void {
    this.#line.notify();
  }

  /** @param awaited what is waited for, for the error when the connection is gone before it. */
  protected until<Found>(find: () => Found | undefined, awaited: string): Promise<Found> {
    return this.#line.until(find, () => (this.#gone ? this.#inVain(awaited) : undefined));
  }

  #inVain(awaited: string): Error {
    const kinds = this.received.map((one) => one.kind).join(', ');
    return new Error(`the connection was gone before ${awaited}; what came: ${kinds === '' ? 'nothing' : kinds}`);
  }
}
