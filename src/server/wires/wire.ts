/**
 * Owns the socket layer: bytes in, bytes out, and when each may go on. Everything above it sees a socket only through
 * this interface, so that the layer can be replaced. Refuses to know frames.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Chained } from '../../actors/chain.js';
import type { Pass } from '../admission/pass.js';

/** Who reads a wire. */
export interface WireReader {
  /**
   * The next bytes. They may be changed in place and handed to `Wire.write`, and are not to be kept otherwise: the buffer is
   * shared by every wire and read into again as soon as this returns.
   */
  onBytes(chunk: Buffer): void;
  /** The peer ended its direction (FIN). */
  onEnd(): void;
  /** A write that said "wait" is done: more may follow. */
  onDrain(): void;
  /** The wire is gone, both directions. Called once, and last. */
  onClosed(error: Error | undefined): void;
}

/** The two ends of a wire. Addresses of Unix domain sockets are empty. */
export interface WireAddresses {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** What is asked of the socket under a wire. */
export interface SocketSettings {
  /** Milliseconds of silence before TCP keep-alive probes; 0 sends none. */
  readonly keepAlive: number;
  /** Bytes a stream of Node.js holds in each direction before it says that it is full. */
  readonly highWaterMark: number;
  /** Whether small writes leave at once. Default: true. */
  readonly noDelay?: boolean | undefined;
}

/** One socket. Those of a listener are a chain. */
export interface Wire extends Chained<Wire> {
  /** To be asked for while the socket is open: the operating system forgets them when it closes. */
  readonly addresses: WireAddresses;
  /** The TLS session, on a wire that has one. */
  readonly tls: TLSSocket | undefined;
  /** Whoever is attached last is told everything from then on. */
  attach(reader: WireReader): void;
  /** Hands on what comes. Called within `onBytes`, it begins when that has returned: no reader is given bytes while it is at others. */
  read(): void;
  /** Stops reading at once. A peer that resets the connection goes unnoticed until `read`, `watch` or `probe`. */
  stopReading(): void;
  /**
   * Stops handing on what comes, and still notices a peer that resets the connection. At most what one read takes is kept
   * meanwhile, to be handed on first of all.
   */
  watch(): void;
  /**
   * Gives bytes back, to be read again before anything else, also before what was given back earlier. They are kept, so they must be
   * the caller's own. An end of the peer that was told already is told again behind them.
   */
  unread(bytes: Buffer): void;
  /**
   * Writes `bytes[start, end)`, and answers whether more may follow now; if not, `onDrain` tells when. The bytes are done with
   * when this returns if they came by `onBytes`, or while the wire is corked when `uncork` returns; other bytes must not be changed
   * any more.
   */
  write(bytes: Buffer, start?: number, end?: number): boolean;
  /** Gathers the writes until `uncork` into one system call, within one callback. */
  cork(): void;
  /** Answers as the last write would have without a cork. */
  uncork(): boolean;
  /** Ends our direction (FIN) when everything is written. */
  end(): void;
  /** Cuts both directions now. */
  terminate(): void;
  /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
  probe(): void;
  /** Bytes written and not with the operating system yet. */
  readonly bufferedBytes: number;
  readonly bytesRead: number;
  readonly closed: boolean;
}

/** A wire that a listener accepted. */
export interface AcceptedWire extends Wire {
  /** Who let it in; undefined where nobody is asked. */
  pass: Pass | undefined;
  /**
   * Gives the socket under this wire away, paused, with every byte that was given back or kept in it. The wire is gone then, and its
   * reader is told nothing. Nothing may have been written, and no end of the peer been seen; undefined when it is closed already.
   */
  release(): Socket | undefined;
}
