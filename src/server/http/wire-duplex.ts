/**
 * Owns a wire as a stream of Node.js, for its HTTP parser: bytes in, bytes out, with backpressure both ways. Refuses to know what is
 * said over it, and to wait for a bounded time: whoever uses it has deadlines.
 */
import { Duplex } from 'node:stream';
import { LINGER_MS, lingerAndTerminate } from '../handshake/linger.js';
import type { Wire, WireReader } from '../wires/wire.js';

/** Bytes that may wait in each direction before it says that it is full. */
const HIGH_WATER_MARK = 64 * 1024;

interface Queued {
  readonly chunk: Buffer;
}

/** A stream over a wire, which may come later. */
export class WireDuplex extends Duplex implements WireReader {
  #wire: Wire | undefined;
  /** Somebody else has the wire: whatever becomes of this stream does not concern it. */
  #detached = false;
  #written: ((error?: Error | null) => void) | undefined;
  #ended = false;

  constructor() {
    super({ readableHighWaterMark: HIGH_WATER_MARK, writableHighWaterMark: HIGH_WATER_MARK });
  }

  /** The wire, as long as it is this stream's. */
  protected get wire(): Wire | undefined {
    return this.#detached ? undefined : this.#wire;
  }

  /** Takes the wire. Nothing is read of it before the stream is. */
  protected takeWire(wire: Wire): void {
    this.#wire = wire;
    wire.attach(this);
  }

  /** Gives the wire back with everything that was not read from this stream, which is destroyed. Undefined when it is closed. */
  releaseWire(ahead: Buffer): Wire | undefined {
    const { wire } = this;
    const rest: Buffer[] = [ahead];
    for (let chunk = this.read(); chunk !== null; chunk = this.read()) rest.push(chunk as Buffer);
    const unread = Buffer.concat(rest);
    if (wire === undefined || wire.closed || (this.#ended && unread.length === 0)) {
      this.destroy();
      return undefined;
    }
    wire.watch();
    this.#detached = true;
    this.destroy();
    wire.unread(unread);
    return wire;
  }

  // What the wire tells.

  onBytes(chunk: Buffer): void {
    if (this.destroyed) return;
    // A copy: the chunk is the wire's, and a stream keeps what it is given.
    if (!this.push(Buffer.from(chunk))) this.wire?.watch();
  }

  onEnd(): void {
    this.#ended = true;
    this.push(null);
  }

  onDrain(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  onClosed(error: Error | undefined): void {
    this.destroy(error);
  }

  // What the stream asks for.

  override _read(): void {
    this.wire?.read();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    this.#settle(this.wire?.write(chunk) ?? true, written);
  }

  override _writev(chunks: Queued[], written: (error?: Error | null) => void): void {
    const { wire } = this;
    wire?.cork();
    for (const { chunk } of chunks) wire?.write(chunk);
    this.#settle(wire?.uncork() ?? true, written);
  }

  /** Everything is written: the other side may read it, and is not waited for longer than that takes. */
  override _final(done: (error?: Error | null) => void): void {
    const { wire } = this;
    this.#detached = true;
    if (wire !== undefined) lingerAndTerminate(wire, this.lingers(wire));
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.wire?.terminate();
    this.#detached = true;
    const written = this.#written;
    this.#written = undefined;
    written?.(error ?? new Error('the connection is closed'));
    done(error);
  }

  /** Milliseconds that the other side has to read the last bytes. */
  protected lingers(_wire: Wire): number {
    return LINGER_MS;
  }

  #settle(mayFollow: boolean, written: (error?: Error | null) => void): void {
    if (mayFollow || this.wire?.closed !== false) written();
    else this.#written = written;
  }
}
