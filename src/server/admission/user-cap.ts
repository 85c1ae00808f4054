/** Owns how many connections each user has (`limits.maxConnectionsPerUser`). Refuses to find out who a user is. */
import type { Denial } from './policy.js';
import { SweptTable } from './swept-table.js';

/** Users that are remembered although they have no connection. */
const MAX_USERS = 65_536;

/** A user's place, until it is given back. */
export interface UserSeat {
  /** Gives it back, once, however often it is called. */
  release(): void;
}

const FREE: UserSeat = { release() {} };

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
  take(name: string): UserSeat | Denial {
    if (this.#max <= 0) return FREE;
    const user = this.#users.obtain(name);
    if (user.connections >= this.#max) {
      return {
        error: 'TOO_MANY_CONNECTIONS',
        message: `the user has ${user.connections} connections (limits.maxConnectionsPerUser)`,
      };
    }
    user.connections += 1;
    return new Seat(user);
  }
}

class Seat implements UserSeat {
  #user: { connections: number } | undefined;

  constructor(user: { connections: number }) {
    this.#user = user;
  }

  release(): void {
    if (this.#user === undefined) return;
    this.#user.connections -= 1;
    this.#user = undefined;
  }
}
