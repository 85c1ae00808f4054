/**
 * Owns connecting to one of several addresses (happy eyeballs, RFC 8305): in which order they are tried, how long each has before
 * the next one is tried beside it, and that only one connection is left. Refuses to know what an attempt is.
 */
import { isIPv6 } from 'node:net';
import { DialAbort, type DialSignal } from './dial-signal.js';

/** How to race. */
export interface AddressRace<Connection> {
  /** The first is tried first. */
  readonly addresses: readonly string[];
  /** Milliseconds until the next address is tried beside those that have not answered. */
  readonly delay: number;
  readonly signal: DialSignal;
  attempt(address: string, signal: DialSignal): Promise<Connection>;
  /** Ends a connection that came after another one. */
  discard(connection: Connection): void;
}

/** Puts the addresses of both families in turn, beginning with that of the first (RFC 8305 section 4). */
export function interleaved(addresses: readonly string[]): string[] {
  const first = addresses.filter((one) => isIPv6(one) === isIPv6(addresses[0] ?? ''));
  const second = addresses.filter((one) => isIPv6(one) !== isIPv6(addresses[0] ?? ''));
  const order: string[] = [];
  for (let at = 0; at < Math.max(first.length, second.length); at += 1) {
    order.push(...first.slice(at, at + 1), ...second.slice(at, at + 1));
  }
  return order;
}

/**
 * Resolves with the first connection; the other attempts are given up. Rejects with the reason of the signal, with the one error
 * there is, or with an AggregateError that has one for each address, in the order in which they failed.
 */
export function raceAddresses<Connection>(race: AddressRace<Connection>): Promise<Connection> {
  if (race.signal.aborted) return Promise.reject(race.signal.reason);
  const [only] = race.addresses;
  if (only !== undefined && race.addresses.length === 1) return race.attempt(only, race.signal);
  return new Promise((resolve, reject) => new Race(race, resolve, reject).start());
}

class Race<Connection> {
  readonly #race: AddressRace<Connection>;
  readonly #resolve: (connection: Connection) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running = new Set<DialAbort>();
  readonly #errors: unknown[] = [];
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    race: AddressRace<Connection>,
    resolve: (connection: Connection) => void,
    reject: (error: unknown) => void,
  ) {
    this.#race = race;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  start(): void {
    this.#race.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#tryNext();
  }

  readonly #onAbort = (): void => {
    this.#finish(this.#race.signal.reason);
    this.#reject(this.#race.signal.reason);
  };

  readonly #tryNext = (): void => {
    clearTimeout(this.#timer);
    const { addresses, delay } = this.#race;
    const address = addresses[this.#next];
    if (address === undefined) return;
    this.#next += 1;
    if (this.#next < addresses.length) this.#timer = setTimeout(this.#tryNext, delay);
    void this.#attempt(address);
  };

  async #attempt(address: string): Promise<void> {
    const abort = new DialAbort();
    this.#running.add(abort);
    try {
      const connection = await this.#race.attempt(address, abort);
      // It may have been connected in the very moment that it was given up.
      if (this.#over) this.#race.discard(connection);
      else this.#won(abort, connection);
    } catch (error) {
      this.#running.delete(abort);
      if (!this.#over) this.#lost(error);
    }
  }

  #won(abort: DialAbort, connection: Connection): void {
    this.#running.delete(abort);
    this.#finish(OVERTAKEN);
    this.#resolve(connection);
  }

  #lost(error: unknown): void {
    this.#errors.push(error);
    if (this.#next < this.#race.addresses.length) {
      this.#tryNext();
    } else if (this.#running.size === 0) {
      this.#finish(OVERTAKEN);
      this.#reject(new AggregateError(this.#errors, 'no address could be connected to'));
    }
  }

  #finish(reason: unknown): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#race.signal.removeEventListener('abort', this.#onAbort);
    for (const abort of this.#running) abort.abort(reason);
    this.#running.clear();
  }
}

const OVERTAKEN = new Error('another address was faster');
