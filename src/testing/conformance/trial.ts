/**
 * Owns one life of a receiver under test: a connection in memory that is looked at from inside, and what has to hold of every life. Refuses
 * to know what happens in it; each case does.
 */
import { AssertionError } from 'node:assert';
import type { LifecycleReceiver, UpgradeRequest } from '../../receivers/index.js';
import type { MemoryClient } from '../memory-client.js';
import { type MemoryConnectOptions, MemoryServer, type MemoryServerOptions } from '../memory-server.js';
import { pairingFault } from '../pairing-fault.js';
import { SimulatedClock, settled } from '../simulated-clock.js';
import { Sight } from './instrument.js';

/** How receivers are tried. */
export interface TrialOptions {
  /** How the client connects; a request that the receiver accepts. Default: `GET /`. */
  readonly request?: MemoryConnectOptions | undefined;
  /** Options of the server. */
  readonly server?: Omit<MemoryServerOptions, 'clock'> | undefined;
  /** Milliseconds that a callback may take in real time. Default: 2000. */
  readonly patience?: number | undefined;
}

/** Fails a case. */
export function wrong(message: string): AssertionError {
  return new AssertionError({ message });
}

/** One life of a receiver. */
export class Trial {
  readonly sight = new Sight();
  readonly clock = new SimulatedClock();
  /** What was told as `exception`. */
  readonly exceptions: unknown[] = [];
  /** Promises of it that nobody waited for, and that rejected. */
  readonly rejections: unknown[] = [];
  #server: MemoryServer | undefined;
  #client: MemoryClient | undefined;
  readonly #patience: number;
  #listeners: NodeJS.UnhandledRejectionListener[] = [];

  private constructor(patience: number) {
    this.#patience = patience;
  }

  /** Lives one life: with a client that has sent its request, and then as `live` says. Whatever comes of it, nothing is left. */
  static async of(
    receiver: (request: UpgradeRequest) => LifecycleReceiver,
    { request, server, patience = 2000 }: TrialOptions,
    live: (trial: Trial) => Promise<void>,
  ): Promise<Trial> {
    const trial = new Trial(patience);
    trial.#begin();
    try {
      const make = (asked: UpgradeRequest) => trial.sight.into(receiver(asked));
      trial.#server = await MemoryServer.start(make, { ...server, clock: trial.clock });
      trial.#server.on('exception', (error) => trial.exceptions.push(error));
      trial.#client = trial.#server.connect(request);
      await live(trial);
      const fault = pairingFault(trial.sight.calls);
      if (fault !== undefined) throw wrong(fault);
    } finally {
      await trial.#server?.stop();
      trial.#end();
    }
    return trial;
  }

  get client(): MemoryClient {
    return this.#client as MemoryClient;
  }

  get server(): MemoryServer {
    return this.#server as MemoryServer;
  }

  /** The client has its 101. */
  async open(): Promise<void> {
    await this.within(() => this.client.answer !== undefined || this.client.gone, 'the handshake was not answered');
    const { answer } = this.client;
    if (answer?.status !== 101) throw wrong(`the handshake was answered with ${answer?.status ?? 'nothing'}`);
    await this.quiet();
  }

  /** Waits until every callback has settled and nothing more comes of them. */
  async quiet(): Promise<void> {
    const { sight, client } = this;
    await settled();
    let before = '';
    await this.within(
      () => {
        const now = `${sight.calls.length} ${sight.sends.length} ${client.received.length} ${client.unreadBytes}`;
        const isQuiet = sight.unsettled.length === 0 && now === before;
        before = now;
        return isQuiet;
      },
      () => `${sight.unsettled.join(', ') || 'the connection'} did not come to an end`,
    );
  }

  /** Waits in real time, since a receiver may. @throws AssertionError */
  async within(isSo: () => boolean, what: string | (() => string)): Promise<void> {
    const end = performance.now() + this.#patience;
    while (!isSo()) {
      if (performance.now() > end) {
        throw wrong(`${typeof what === 'string' ? what : what()} within ${this.#patience} ms`);
      }
      await settled();
    }
  }

  /** Nothing of what the receiver did threw. */
  assertContained(): void {
    const [failure] = this.sight.failures;
    if (failure !== undefined) throw wrong(failure);
    const [exception] = this.exceptions;
    if (exception !== undefined) throw wrong(`the receiver failed: ${String(exception)}`);
  }

  #begin(): void {
    this.sight.begin();
    // A test framework would take them for those of its own.
    this.#listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', this.#noteRejection);
  }

  #end(): void {
    this.sight.end();
    process.off('unhandledRejection', this.#noteRejection);
    for (const listener of this.#listeners) process.on('unhandledRejection', listener);
  }

  readonly #noteRejection = (reason: unknown): void => void this.rejections.push(reason);
}
