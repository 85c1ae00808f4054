/** Owns how many were refused, and why. Refuses to refuse. */
import type { ErrorCode } from '../../receivers/index.js';

/** How many connections, handshakes and messages were refused since the server was made. Plain JSON. */
export interface RefusalSnapshot {
  readonly total: number;
  /** By the code of the error. */
  readonly byError: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Those that an admission policy refused, by its name; `onTcpConnect` for the hook. */
  readonly byPolicy: Readonly<Record<string, number>>;
}

/** Counts refusals. Outlives a restart, so that the numbers only grow. */
export class RefusalCounts {
  #total = 0;
  readonly #byError = new Map<ErrorCode, number>();
  readonly #byPolicy = new Map<string, number>();

  add(error: ErrorCode, policy?: string): void {
    this.#total += 1;
    this.#byError.set(error, (this.#byError.get(error) ?? 0) + 1);
    if (policy !== undefined) this.#byPolicy.set(policy, (this.#byPolicy.get(policy) ?? 0) + 1);
  }

  snapshot(): RefusalSnapshot {
    return {
      total: this.#total,
      byError: Object.fromEntries(this.#byError) as RefusalSnapshot['byError'],
      byPolicy: Object.fromEntries(this.#byPolicy),
    };
  }
}
