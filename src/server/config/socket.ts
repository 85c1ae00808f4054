/** Owns the options of listening sockets and of what they accept. Refuses to set them. */
import { z } from 'zod';
import { count, described, flag } from './fields.js';

/** Sockets, where a listener has no setting of its own. */
export const socket = described(
  z
    .strictObject({
      /** Connections that may wait in the system to be accepted; the system has a limit of its own. */
      backlog: count({
        description: 'Connections that may wait in the system to be accepted; the system has a limit of its own.',
        default: 511,
        min: 1,
        max: 65_535,
      }),
      /** Whether a worker of `node:cluster` has its listeners for itself; else all workers share one. */
      exclusive: flag({
        description: 'Whether a worker of `node:cluster` has its listeners for itself; else all workers share one.',
        default: false,
      }),
      /** Whether other processes may listen on the same address, so that the system spreads connections (SO_REUSEPORT). Needs Node.js 22.12 or 23.1, and Linux or BSD. */
      reusePort: flag({
        description:
          'Whether other processes may listen on the same address, so that the system spreads connections (SO_REUSEPORT). Needs Node.js 22.12 or 23.1, and Linux or BSD.',
        default: false,
      }),
      /** Whether a listener on `::` takes no IPv4 clients. */
      ipv6Only: flag({ description: 'Whether a listener on `::` takes no IPv4 clients.', default: false }),
      /** Whether small writes to clients leave at once (TCP_NODELAY) and are not gathered by the system. */
      noDelay: flag({
        description: 'Whether small writes to clients leave at once (TCP_NODELAY) and are not gathered by the system.',
        default: true,
      }),
    })
    .prefault({}),
  'group',
  { description: 'Listening sockets, and what they accept. An object in `listen` may have each of these for itself.' },
);
