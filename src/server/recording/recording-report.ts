/** Owns what is told of recordings, and the contract of who is told what becomes of connections. Refuses to record. */
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { TidegateError } from '../../receivers/index.js';

/** A recording began, ended, or ended because it could not be written. */
export interface RecordingReport {
  readonly state: 'begun' | 'ended' | 'failed';
  /** The id of the connection. */
  readonly id: string;
  /** The name of the file in `recording.directory`; of the last one, when it has ended. */
  readonly file: string;
  /** `RECORDING_FAILED`, with what the system says. */
  readonly error?: TidegateError | undefined;
}

/** Who is told how handshakes end. Nothing in it may throw. */
export interface RecordingPort {
  /**
   * A client is accepted, and its data path is in place; nothing has passed on it.
   *
   * @param path the data path.
   * @param wanted what the receiver says about recording.
   * @param head the head of the 101; undefined where there was none, or earlier.
   */
  accepted(connection: ConnectionActor, path: object, wanted: boolean | undefined, head: string | undefined): void;
  refused(connection: ConnectionActor, refusal: Refusal): void;
}
