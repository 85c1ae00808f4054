/**
 * Owns what the connections of clients say of the health of one backend: which of them failed, when there were too many, and whether its
 * trial went well. Refuses to eject it; the chart does.
 */
import type { BackendHealth } from './backend.js';
import type { BackendEvent } from './backend.machine.js';
import type { Clock } from './clock.js';
import { Outlier, type OutlierOptions } from './outlier.js';
import type { Pairing, PairingEnd } from './pairing.js';
import type { Places } from './places.js';
import { Trial } from './trial.js';

/** The options of what is called passive health checks. Milliseconds. */
export interface TrafficHealthOptions extends OutlierOptions {
  /** A connection that breaks within this time after it was opened counts as failed. */
  readonly earlyClose: number;
  /** How many connections a backend gets after an ejection. */
  readonly trials: number;
}

/** The backend that is judged. */
interface Judged {
  readonly health: BackendHealth | undefined;
  /** Whether it may be ejected, when its connections fail. */
  readonly mayBeEjected: boolean;
  send(event: BackendEvent): void;
}

/** Judges one backend by its traffic. */
export class TrafficHealth {
  readonly #options: TrafficHealthOptions;
  readonly #backend: Judged;
  readonly #places: Places;
  readonly #clock: Clock;
  readonly #outlier: Outlier;
  #trial: Trial | undefined;

  constructor(options: TrafficHealthOptions, backend: Judged, places: Places, clock: Clock) {
    this.#options = options;
    this.#backend = backend;
    this.#places = places;
    this.#clock = clock;
    this.#outlier = new Outlier(options);
  }

  /** The trial that a place which is taken now is for. */
  get trial(): Trial | undefined {
    return this.#trial;
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#outlier.failures;
  }

  /** Ejections that are not forgiven yet. */
  get ejections(): number {
    return this.#outlier.ejections;
  }

  /** How long the ejection lasts from now on, in milliseconds. */
  get ejectedFor(): number {
    return Math.max(0, this.#outlier.until - this.#clock.now());
  }

  beginTrial(): void {
    this.#trial = new Trial(this.#options.trials);
  }

  /** It is out of the pool, whatever the trial would have shown. */
  endTrial(): void {
    this.#trial = undefined;
  }

  /** It is well, or new. */
  recovered(): void {
    this.#trial = undefined;
    this.#outlier.recovered(this.#clock.now());
  }

  paired(pairing: Pairing): void {
    if (this.#isUnderTrial(pairing)) this.#connected(pairing);
  }

  /** To be called while the place is still taken. */
  released(pairing: Pairing, end: PairingEnd): void {
    const { earlyClose } = this.#options;
    // Others that did well meanwhile come first: failures count in a row.
    if (this.#places.proved(earlyClose)) this.#outlier.succeeded();
    const hasFailed = end === 'failed' || (end === 'lost' && pairing.age < earlyClose);
    if (this.#isUnderTrial(pairing)) this.#judgeTrial(pairing, end, hasFailed);
    else if (hasFailed) this.#failed();
    else if (end === 'ended') this.#outlier.succeeded();
  }

  #failed(): void {
    if (this.#backend.health !== 'healthy' || !this.#outlier.failed()) return;
    if (this.#backend.mayBeEjected) this.#eject({ type: 'outlier.found' });
  }

  #judgeTrial(pairing: Pairing, end: PairingEnd, hasFailed: boolean): void {
    if (hasFailed) {
      this.#outlier.failed();
      this.#eject({ type: 'trial.failed' });
    } else if (!pairing.wasPaired) {
      if (end === 'unused') pairing.trial?.giveBack();
      else this.#connected(pairing);
    }
  }

  #connected({ trial }: Pairing): void {
    if (trial?.connected()) this.#backend.send({ type: 'trial.connected' });
  }

  #eject(event: BackendEvent): void {
    this.#outlier.eject(this.#clock.now());
    this.#backend.send(event);
  }

  #isUnderTrial({ trial }: Pairing): boolean {
    return trial !== undefined && trial === this.#trial;
  }
}
