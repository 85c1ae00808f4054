/**
 * Owns a wire that is recorded: it shows what passes, and changes nothing. It stands before the wire of a client only while that
 * client is recorded, so that all others pay nothing for it. Refuses to know frames.
 */
import type { Buffer } from 'node:buffer';
import type { TLSSocket } from 'node:tls';
import type { Wire, WireAddresses, WireReader } from '../wires/wire.js';

/** Who is shown what passes. The bytes are to be copied. Nothing in it may throw. */
export interface WireWitness {
  received(bytes: Buffer, start: number, end: number): void;
  sent(bytes: Buffer, start: number, end: number): void;
}

/** A wire with a witness. */
export class RecordingWire implements Wire, WireReader {
  before: Wire | undefined;
  behind: Wire | undefined;
  readonly #wire: Wire;
  readonly #witness: WireWitness;
  #reader: WireReader;
  /** Bytes that were given back, and will come once more. */
  #again = 0;

  constructor(wire: Wire, reader: WireReader, witness: WireWitness) {
    this.#wire = wire;
    this.#reader = reader;
    this.#witness = witness;
    wire.attach(this);
  }

  /** The wire below. */
  get wire(): Wire {
    return this.#wire;
  }

  /** Who reads it now. */
  get reader(): WireReader {
    return this.#reader;
  }

  get addresses(): WireAddresses {
    return this.#wire.addresses;
  }

  get tls(): TLSSocket | undefined {
    return this.#wire.tls;
  }

  get bufferedBytes(): number {
    return this.#wire.bufferedBytes;
  }

  get bytesRead(): number {
    return this.#wire.bytesRead;
  }

  get closed(): boolean {
    return this.#wire.closed;
  }

  attach(reader: WireReader): void {
    this.#reader = reader;
  }

  read(): void {
    this.#wire.read();
  }

  stopReading(): void {
    this.#wire.stopReading();
  }

  watch(): void {
    this.#wire.watch();
  }

  unread(bytes: Buffer): void {
    this.#again += bytes.length;
    this.#wire.unread(bytes);
  }

  write(bytes: Buffer, start = 0, end = bytes.length): boolean {
    // Of what is written to a wire that is gone nothing goes anywhere.
    if (!this.#wire.closed) this.#witness.sent(bytes, start, end);
    return this.#wire.write(bytes, start, end);
  }

  cork(): void {
    this.#wire.cork();
  }

  uncork(): boolean {
    return this.#wire.uncork();
  }

  end(): void {
    this.#wire.end();
  }

  terminate(): void {
    this.#wire.terminate();
  }

  probe(): void {
    this.#wire.probe();
  }

  /** Before the reader gets it, who may change it where it lies. */
  onBytes(chunk: Buffer): void {
    const known = Math.min(this.#again, chunk.length);
    this.#again -= known;
    if (known < chunk.length) this.#witness.received(chunk, known, chunk.length);
    this.#reader.onBytes(chunk);
  }

  onEnd(): void {
    this.#reader.onEnd();
  }

  onDrain(): void {
    this.#reader.onDrain();
  }

  onClosed(error: Error | undefined): void {
    this.#reader.onClosed(error);
  }
}
