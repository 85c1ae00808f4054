/** Owns what a listening socket shows of its own death, without any traffic. Refuses to do anything about it. */
import type { Server } from 'node:net';
import { describeError } from '../../receivers/errors.js';
import type { BoundAddress } from '../listener/listen-address.js';

/** What is wrong with a listening socket. */
export interface SocketFault {
  readonly message: string;
  /** Its file descriptor is another socket by now, and to close it would close that one. */
  readonly foreign: boolean;
}

/**
 * Tells whether a socket still listens where it was bound; undefined when it does. This asks the operating system for the
 * socket's name, one system call: a descriptor that something else in the process closed raises no event of its own.
 */
export function socketFault(server: Server, { host, port }: BoundAddress): SocketFault | undefined {
  if (!server.listening) return { message: 'it was closed', foreign: false };
  try {
    const now = server.address();
    if (typeof now === 'object' && now?.port === port && now.address === host) return undefined;
    return { message: 'its file descriptor is not its own any more', foreign: true };
  } catch (error) {
    return { message: `its file descriptor was closed: ${describeError(error)}`, foreign: false };
  }
}

/** What the failure of one accept says about the socket. */
export type AcceptFault = 'connection' | 'shortage' | 'socket';

/** accept(2): there is no room for one more, and the connection that waits stays where it is. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** accept(2): the descriptor is no listening socket. */
const DEAD = new Set(['EBADF', 'EINVAL', 'ENOTSOCK', 'EFAULT', 'EOPNOTSUPP']);

/** Judges the error of an accept. Any other than these is about the one connection that was to be accepted. */
export function acceptFault(code: string): AcceptFault {
  if (SHORTAGES.has(code)) return 'shortage';
  return DEAD.has(code) ? 'socket' : 'connection';
}
