/**
 * Owns what a server has carried since it was made: connections, how they ended, messages and bytes, of those that are over and, when
 * asked, of those that live. Refuses to watch the data path: what lives counts for itself.
 */
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { copySums, emptySums, type PairSums, type TrafficSum } from '../../actors/pair-sums.js';
import type { CloseReport, Traffic } from '../../receivers/index.js';
import type { ServerEvents } from '../events.js';
import type { ObservedParts, Onlooker } from './onlooker.js';
import { Rationed } from './rationed.js';

/** How many connections ended for one reason. */
export interface CloseCount {
  readonly initiator: CloseReport['initiator'];
  readonly cause: CloseReport['cause'];
  /** What `onClosed` was told. */
  readonly status: number;
  readonly count: number;
}

/** What a server has carried since it was made, its restarts included. */
export interface TotalsSnapshot {
  /** Handshakes that were answered with 101. */
  readonly opened: number;
  readonly closed: number;
  /** From clients, live. */
  readonly received: Traffic;
  /** To clients, live. */
  readonly sent: Traffic;
  readonly closes: readonly CloseCount[];
}

/** The totals, with both sides of the pairs. */
export interface DetailedTotals extends Omit<TotalsSnapshot, 'received' | 'sent'> {
  readonly sums: PairSums;
  /** Callbacks and listeners that threw. */
  readonly exceptions: number;
  /** Bytes that were accepted for clients that were gone before they could be written. */
  readonly undeliveredBytes: number;
}

/** Counts what one server carries. */
export class Totals implements Onlooker {
  /** Of connections that are over. */
  readonly #sums = emptySums();
  /** Bounded: initiators, causes and codes are words of our own, but for the codes of clients (see {@link codeClass}). */
  readonly #closes = new Map<string, { -readonly [Key in keyof CloseCount]: CloseCount[Key] }>();
  #opened = 0;
  #closed = 0;
  #exceptions = 0;
  #undeliveredBytes = 0;
  #parts: ObservedParts | undefined;
  /** With those that live. */
  readonly #live = new Rationed(() => {
    const sums = copySums(this.#sums);
    for (const { port } of this.#parts?.supervisor.registry.all() ?? []) port.addTo(sums);
    return sums;
  });

  began(parts: ObservedParts): void {
    this.#parts = parts;
  }

  ended(): void {
    this.#parts = undefined;
  }

  told<Name extends keyof ServerEvents>(name: Name): void {
    if (name === 'exception') this.#exceptions += 1;
  }

  opened(): void {
    this.#opened += 1;
  }

  closed({ port }: ConnectionActor, { initiator, cause, status, undeliveredBytes }: CloseReport): void {
    this.#closed += 1;
    this.#undeliveredBytes += undeliveredBytes;
    port.addTo(this.#sums);
    // What a wire still holds is of this moment only.
    this.#sums.downstream.bufferedBytes = 0;
    this.#sums.upstream.bufferedBytes = 0;
    const code = codeClass(status);
    const key = `${initiator} ${cause} ${code}`;
    const known = this.#closes.get(key);
    if (known === undefined) this.#closes.set(key, { initiator, cause, status: code, count: 1 });
    else known.count += 1;
  }

  /** Walks over every connection; of thousands, not each time (see {@link Rationed}). */
  snapshot(): TotalsSnapshot {
    const { opened, closed, closes, sums } = this.detailed();
    return { opened, closed, received: carried(sums.downstream.received), sent: carried(sums.downstream.sent), closes };
  }

  /** Walks over every connection; of thousands, not each time (see {@link Rationed}). */
  detailed(): DetailedTotals {
    const sums = copySums(this.#live.get());
    return {
      opened: this.#opened,
      closed: this.#closed,
      sums,
      exceptions: this.#exceptions,
      undeliveredBytes: this.#undeliveredBytes,
      closes: [...this.#closes.values()].map((count) => ({ ...count })),
    };
  }
}

function carried({ messages, bytes }: TrafficSum): Traffic {
  return { messages, bytes };
}

/** Codes that applications choose are told as 3000 or 4000: a client could send a thousand of them. */
function codeClass(status: number): number {
  return status < 3000 ? status : Math.floor(status / 1000) * 1000;
}
