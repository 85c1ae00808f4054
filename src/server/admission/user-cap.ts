/** Owns how many connections each user has (`limits.maxConnectionsPerUser`). Refuses to find out who a user is. */
import type { Denial } from './policy.js';
import { SweptTable } from './swept-table.js';

/** Users that are remembered although they have no connection. */
const MAX_USERS = 65_536;

/** Lets a user have so many connections at a time, from whatever address. */
export class UserCap {
  readonly #max: number;
  readonly #users = new SweptTable<{ connections: number }>({
    create: () => ({ connections: 0 }),
    isIdle: ({ connections }) => connections === 0,
    isExpendable: () => false,
    maxEntries: MAX_USERS,
  });

  /** @param max 0 for any number. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a place for a user, or answers why there is none. */
  take(name: string): Denial | undefined {
    if (this.#max <= 0) return undefined;
    const user = this.#users.obtain(name);
    if (user.connections >= this.#max) {
      return {
        error: 'TOO_MANY_CONNECTIONS',
        message: `the user has ${user.connections} connections (limits.maxConnectionsPerUser)`,
      };
    }
    user.connections += 1;
    return undefined;
  }

  /** Gives back a place that was taken. */
  giveBack(name: string): void {
    const user = this.#users.get(name);
    if (user !== undefined && user.connections > 0) user.connections -= 1;
  }
}
