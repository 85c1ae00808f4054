/** Owns one connection to a backend for plain requests, as the HTTP client of Node.js wants it: a stream that connects. Refuses HTTP. */
import { TidegateError } from '../../receivers/errors.js';
import { DialAbort } from '../dial/dial-signal.js';
import type { Wire } from '../wires/wire.js';
import { WireDuplex } from './wire-duplex.js';

/** A connection to a backend. */
export class BackendStream extends WireDuplex {
  /** As with a socket of Node.js. */
  connecting = true;
  /** Milliseconds that the backend says it keeps the connection for a next request. */
  keptFor = Number.POSITIVE_INFINITY;
  readonly #dial: (signal: DialAbort) => Promise<Wire>;
  readonly #timeout: number;
  readonly #abort = new DialAbort();
  #idle: NodeJS.Timeout | undefined;

  /** @param timeout milliseconds that the dial may take. */
  constructor(dial: (signal: DialAbort) => Promise<Wire>, timeout: number) {
    super();
    this.#dial = dial;
    this.#timeout = timeout;
  }

  override _construct(done: (error?: Error | null) => void): void {
    const late = () => this.#abort.abort(new TidegateError('UPSTREAM_TIMEOUT', `no answer within ${this.#timeout} ms`));
    const timer = setTimeout(late, this.#timeout);
    this.#dial(this.#abort)
      .finally(() => clearTimeout(timer))
      .then(
        (wire) => {
          this.connecting = false;
          this.takeWire(wire);
          done();
          if (!this.destroyed) this.emit('connect');
        },
        (error: Error) => {
          this.connecting = false;
          done(error);
        },
      );
  }

  override destroy(error?: Error): this {
    if (this.connecting) this.#abort.abort(new TidegateError('DOWNSTREAM_GONE', 'the dial was given up'));
    return super.destroy(error);
  }

  /** The last answer was read, and nothing is to be said any more. */
  override _final(done: (error?: Error | null) => void): void {
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    super._destroy(error, done);
  }

  /** It waits for its next request, and is closed when none comes in time. */
  rest(milliseconds: number): void {
    this.#idle = setTimeout(() => this.destroy(), milliseconds);
  }

  /** Its next request came. */
  wake(): void {
    clearTimeout(this.#idle);
  }

  // What an agent asks of a socket, and the dial has done.

  setKeepAlive(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
