/**
 * Owns wires on real sockets for tests: a wire with the peer it is connected to, and a reader that records what it is told.
 * Refuses to decide when a wire is read; the test does.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls, { type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { SocketWire } from '../../src/server/wires/socket-wire.js';
import { StreamWire } from '../../src/server/wires/stream-wire.js';
import type { Wire, WireReader } from '../../src/server/wires/wire.js';
import { chooseLayer, secureWire, type WireLayer } from '../../src/server/wires/wire-layer.js';
import { deferred, WaitingLine, waitForEvent } from './events.js';
import { connectTcp, type TcpConnection } from './tcp-connection.js';
import { localhostCertificate } from './tls.js';

/** Both socket layers, for `describe.each`. */
export const LAYERS: readonly WireLayer[] = [chooseLayer('portable'), chooseLayer('fast')];

/** What runs below a wire. */
export interface Transport {
  readonly layer: WireLayer;
  readonly over: 'tcp' | 'unix' | 'tls';
  /** By the chunks of a stream, as on a Node.js whose accepted sockets cannot be given a buffer. */
  readonly chunks?: true;
  /** As a stream that nothing more is known of. */
  readonly foreign?: true;
}

/** Everything a wire can be made of, for `describe.each`. TLS is always on streams of Node.js. */
export const TRANSPORTS: readonly Transport[] = [
  ...LAYERS.flatMap((layer) => [
    { layer, over: 'tcp' as const },
    { layer, over: 'unix' as const },
  ]),
  { layer: chooseLayer('portable'), over: 'tls' },
  { layer: chooseLayer('portable'), over: 'tls', chunks: true },
  { layer: chooseLayer('portable'), over: 'tcp', foreign: true },
];

export const SETTINGS = { keepAlive: 1000, highWaterMark: 64 * 1024 };

/** Records what a wire tells. Bytes are copied: the wire reads into the same memory again. */
export class WireRecord implements WireReader {
  /** `bytes`, `end`, `drain` and `closed`, in order; bytes that follow bytes are not listed again. */
  readonly told: string[] = [];
  error: Error | undefined;
  /** Called with the bytes before they are recorded; may do anything to the wire. */
  onChunk: ((chunk: Buffer) => void) | undefined;
  readonly #chunks: Buffer[] = [];
  readonly #line = new WaitingLine();
  #length = 0;
  #given = 0;

  /** Everything that was handed on. */
  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  onBytes(chunk: Buffer): void {
    this.#chunks.push(Buffer.from(chunk));
    this.#length += chunk.length;
    if (this.told.at(-1) !== 'bytes') this.told.push('bytes');
    this.onChunk?.(chunk);
    this.#line.notify();
  }

  onEnd(): void {
    this.#tell('end');
  }

  onDrain(): void {
    this.#tell('drain');
  }

  onClosed(error: Error | undefined): void {
    this.error = error;
    this.#tell('closed');
  }

  /** Resolves with everything, once that many bytes were handed on. */
  received(length: number): Promise<Buffer> {
    return this.#until(() => (this.#length >= length ? this.bytes : undefined));
  }

  /** Resolves with the next bytes that were not given yet, exactly that many. */
  async next(length: number): Promise<string> {
    const from = this.#given;
    this.#given += length;
    return (await this.received(from + length)).toString('latin1', from, from + length);
  }

  /** Resolves once that was told at least once. */
  async saw(what: 'bytes' | 'end' | 'drain' | 'closed'): Promise<void> {
    await this.#until(() => (this.told.includes(what) ? true : undefined));
  }

  /** Everything up to the end of the peer's direction, or of both. */
  async all(): Promise<string> {
    await this.#until(() => (this.told.includes('end') || this.told.includes('closed') ? true : undefined));
    return this.text;
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#line.notify();
  }

  #until<T>(take: () => T | undefined): Promise<T> {
    return this.#line.until(take, () =>
      this.told.includes('closed')
        ? new Error(`the wire closed (${this.error?.message ?? 'no error'}) after ${this.#length} bytes`)
        : undefined,
    );
  }
}

/** Attaches a record to a wire. */
export function recordOf(wire: Wire): WireRecord {
  const record = new WireRecord();
  wire.attach(record);
  return record;
}

/** A wire, what it tells, and the other end of its connection. */
export interface WirePair {
  readonly wire: Wire;
  readonly record: WireRecord;
  readonly peer: TcpConnection;
  /** The wires that the layer's observer was told were gone, and what their reader had been told by then. */
  readonly gone: ReadonlyArray<{ readonly wire: Wire; readonly told: readonly string[] }>;
}

/** Connects a peer to a listener and takes its end as a wire, until the test is over. Nothing is read from it. */
export async function wirePair({ layer, over, chunks, foreign }: Transport): Promise<WirePair> {
  const opened = deferred<Wire>();
  const gone: Array<{ wire: Wire; told: readonly string[] }> = [];
  const record = new WireRecord();
  const observer = {
    opened: (wire: Wire) => opened.resolve(wire),
    gone: (wire: Wire) => void gone.push({ wire, told: [...record.told] }),
  };
  const options = { allowHalfOpen: true, highWaterMark: SETTINGS.highWaterMark };
  const server =
    over === 'tls'
      ? tls.createServer({ ...localhostCertificate, ...options })
      : net.createServer({ ...options, pauseOnConnect: true });
  const directory = over === 'unix' ? await mkdtemp(join(tmpdir(), 'tidegate-wire-')) : undefined;
  const socketPath = directory === undefined ? undefined : join(directory, 'wire.sock');
  server.listen(socketPath === undefined ? { port: 0, host: '127.0.0.1' } : { path: socketPath });
  await waitForEvent(server, 'listening');
  if (over === 'tls') {
    server.on('secureConnection', (socket: TLSSocket) =>
      observer.opened(
        chunks
          ? new SocketWire(socket, SETTINGS.highWaterMark, observer.gone)
          : secureWire(socket, SETTINGS, observer.gone),
      ),
    );
  } else if (foreign) {
    server.on('connection', (socket: net.Socket) => observer.opened(new StreamWire(socket, observer.gone)));
  } else {
    layer.accept(server, SETTINGS, observer);
  }
  const port = socketPath === undefined ? (server.address() as AddressInfo).port : undefined;
  const peer = await connectTcp({ port, socketPath, ...(over === 'tls' ? { tls: true as const } : {}) });
  const wire = await opened.promise;
  wire.attach(record);
  onTestFinished(async () => {
    wire.terminate();
    peer.destroy();
    await new Promise((resolve) => server.close(resolve));
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  return { wire, record, peer, gone };
}

/**
 * Resolves when whatever either end sent before has come to the other end: bytes go to the peer, one after the other, and each
 * takes a turn of the event loop in which the wire would read what is there.
 */
export async function settled({ wire, peer }: Pick<WirePair, 'wire' | 'peer'>, turns = 5): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    wire.write(Buffer.from('.'));
    await peer.read(1);
  }
}

/** Bytes in which every word of four says where it belongs: which stream, and at which place of it. */
export function marked(stream: number, length: number, from = 0): Buffer {
  const words = new Uint32Array(length / 4);
  for (let at = 0; at < words.length; at += 1) words[at] = stream * 2 ** 24 + from / 4 + at;
  return Buffer.from(words.buffer);
}
