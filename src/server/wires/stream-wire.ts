/**
 * Owns the wire on any Duplex of bytes that is no socket: a tunnel, a pipe in memory. Refuses to share memory with it: what is
 * written and what is read is copied, as a foreign stream may keep either.
 */
import type { Duplex } from 'node:stream';
import { Incoming } from './incoming.js';
import type { Wire, WireAddresses } from './wire.js';

const NOWHERE: WireAddresses = { remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 };

/** A wire on a Duplex that an application gave. */
export class StreamWire extends Incoming implements Wire {
  before: Wire | undefined;
  behind: Wire | undefined;
  readonly addresses = NOWHERE;
  readonly tls = undefined;
  readonly #stream: Duplex;
  readonly #gone: ((wire: Wire) => void) | undefined;
  #bytesRead = 0;
  #corks = 0;
  /** What was written while corked. */
  #gathered: Buffer[] = [];
  #peerEnded = false;
  #finished = false;
  #error: Error | undefined;
  #closed = false;
  #lost = 0;

  /** @param gone called when the wire is closed, after its reader. */
  constructor(stream: Duplex, gone?: (wire: Wire) => void) {
    super();
    this.#gone = gone;
    this.#stream = stream;
    stream.on('data', (chunk: Uint8Array | string) => {
      // Of a text there is only a copy anyhow.
      const bytes = Buffer.from(chunk as Uint8Array);
      this.#bytesRead += bytes.length;
      this.came(bytes);
    });
    stream.pause();
    stream.on('end', () => {
      this.#peerEnded = true;
      this.cameToEnd();
      this.#endBoth();
    });
    stream.on('finish', () => {
      this.#finished = true;
      this.#endBoth();
    });
    stream.on('drain', () => this.reader?.onDrain());
    stream.on('error', (error) => {
      this.#error = error;
      this.#lost = stream.writableLength;
      stream.destroy();
    });
    stream.on('close', () => this.#onClose());
    if (stream.destroyed) queueMicrotask(() => this.#onClose());
  }

  get bufferedBytes(): number {
    if (this.closed) return this.#lost;
    return this.#stream.writableLength + this.#gathered.reduce((sum, { length }) => sum + length, 0);
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get closed(): boolean {
    return this.#closed || this.#stream.destroyed;
  }

  stopReading(): void {
    this.reading = false;
    this.#stream.pause();
  }

  watch(): void {
    this.stopReading();
    // A paused stream reads on until its buffer is full, if it ever began.
    if (!this.closed) this.#stream.read(0);
  }

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    if (this.#cannotWrite) return true;
    const copy = Buffer.from(bytes.subarray(start, end));
    if (this.#corks > 0) this.#gathered.push(copy);
    else if (copy.length > 0) this.#stream.write(copy);
    return !this.#stream.writableNeedDrain;
  }

  cork(): void {
    this.#corks += 1;
  }

  uncork(): boolean {
    this.#corks -= 1;
    if (this.#corks === 0) this.#flush();
    return this.#cannotWrite || !this.#stream.writableNeedDrain;
  }

  end(): void {
    this.#flush();
    if (!this.#cannotWrite) this.#stream.end();
    // Without a reader the peer's end would never be seen, and the stream never closed.
    if (!this.#peerEnded) this.read();
  }

  terminate(): void {
    if (this.closed) return;
    this.#lost = this.bufferedBytes;
    this.forget();
    this.#stream.destroy();
  }

  /** What is below a stream that is not read is out of reach. */
  probe(): void {}

  protected readSocket(): void {
    this.#stream.resume();
  }

  get #cannotWrite(): boolean {
    return this.#stream.destroyed || this.#stream.writableEnded;
  }

  #flush(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    this.#gathered = [];
    if (!this.#cannotWrite) this.#stream.write(Buffer.concat(gathered));
  }

  /** Not every stream is destroyed when both its sides have ended. */
  #endBoth(): void {
    if (this.#peerEnded && this.#finished) this.#stream.destroy();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.reader?.onClosed(this.#error);
    this.#gone?.(this);
  }
}
