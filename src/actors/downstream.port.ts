/** Owns what a connection actor needs from the shell that holds the sockets: the effects that touch the wire. */
import type { Acceptance, Message, RateLimits, SendResult, Traffic } from '../receivers/index.js';
import type { Refusal } from './connection.effects.js';
import type { DialOrder } from './connection.machine.js';
import type { PairSums } from './pair-sums.js';
import type { SidePort } from './side.port.js';

/** The wire of one downstream connection. Nothing in it may throw. */
export interface DownstreamPort extends SidePort {
  /** Checks an acceptance against the request and the options, before anything is dialled. */
  plan(acceptance: Acceptance): { dial: DialOrder } | Refusal;
  /** Connects the upstream of the plan; answered through the pairing. */
  dial(): void;
  /** Writes the 101 and puts the data path in place; reads nothing yet. */
  accept(): void;
  /** Writes any other answer, unless the client is gone. */
  refuse(refusal: Refusal): void;
  /** When its handshake was read: milliseconds of the monotonic clock. */
  readonly beganAt: number;
  /** The client has its 101: what is refused from now on is refused with a Close frame. */
  readonly answered: boolean;
  send(message: Message): SendResult;
  ping(payload: Message): SendResult;
  /** Drops the sends that wait, and answers with the number of messages. */
  clearQueue(): number;
  /** Keeps to these rates from now on. @throws TidegateError `INVALID_OPTION` */
  limitRate(rates: RateLimits): void;
  /** Changes how large messages may be from now on, where they are assembled. 0 = any size. */
  limitMessages?(bytes: number): void;
  /** The id that the target has for the connection; undefined when it does not say. */
  readonly nameAtTarget?: string | undefined;
  readonly target: string | undefined;
  readonly subprotocol: string;
  readonly dataPath: 'frames' | 'stream' | 'messages' | 'bytes' | undefined;
  /** The data path itself, for who records it; undefined before the 101. A method, so that printing a connection stops before it. */
  path?(): object | undefined;
  /** The Close frame that was asked for went to the socket, and does not wait behind something that never ends. */
  readonly closeWritten: boolean;
  /** Bytes accepted for the client and not with the operating system yet. */
  readonly bufferedBytes: number;
  readonly received: Traffic;
  readonly sent: Traffic;
  /** Messages of the application that were dropped. */
  readonly dropped: Traffic;
  /** Adds what both sides of the pair have carried so far, and hold. */
  addTo(sums: PairSums): void;
}
