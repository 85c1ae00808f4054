/** Owns what a connection actor needs from the shell that holds the sockets: the effects that touch the wire. */
import type { Acceptance, CloseStatus, Message, SendResult, Traffic } from '../receivers/index.js';
import type { Refusal } from './connection.effects.js';
import type { DialOrder } from './connection.machine.js';

/** The wire of one downstream connection. Nothing in it may throw. */
export interface DownstreamPort {
  /** Checks an acceptance against the request and the options, before anything is dialled. */
  plan(acceptance: Acceptance): { dial: DialOrder } | Refusal;
  /** Connects the upstream of the plan; answered through the pairing. */
  dial(): void;
  /** Writes the 101 and puts the data path in place; reads nothing yet. */
  accept(): void;
  /** Writes any other answer, unless the client is gone. */
  refuse(refusal: Refusal): void;
  /** Reads from the client, for the first time or again. */
  read(): void;
  stopReading(): void;
  send(message: Message): SendResult;
  ping(payload: Message): SendResult;
  sendHeartbeat(): void;
  /** Writes a Close frame behind everything that waits; 1005 writes one without code, 1006 none but ends the transport. */
  sendClose(code: CloseStatus, reason: string): void;
  /** Ends the transport when everything is written. */
  end(): void;
  /** Cuts the transport now. */
  terminate(): void;
  /** True when the peer's silence since the last call says nothing: it was not read, or was busy reading from us. */
  takeExcuse(): boolean;
  /** Finds out whether a peer that is not read from has reset the connection meanwhile. */
  probe(): void;
  readonly target: string | undefined;
  readonly subprotocol: string;
  readonly dataPath: 'frames' | 'stream' | 'messages' | undefined;
  /** The Close frame that was asked for went to the socket, and does not wait behind something that never ends. */
  readonly closeWritten: boolean;
  /** Bytes accepted for the client and not with the operating system yet. */
  readonly bufferedBytes: number;
  /** Bytes that came from the client, control frames and headers included. Grows with every sign of life. */
  readonly bytesRead: number;
  /** Bytes that went to the client, likewise. */
  readonly bytesWritten: number;
  readonly received: Traffic;
  readonly sent: Traffic;
}
