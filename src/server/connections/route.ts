/**
 * Owns the contract between a connection and whoever chooses where it goes while it is dialled: a balancer. A connection with a target
 * of its own has no route. Refuses to dial.
 */
import type { Refusal } from '../../actors/connection.effects.js';
import type { Ending } from '../../actors/ending.js';
import type { Occupant } from '../../actors/pairing.js';
import type { HeaderFields, UpgradeRequest } from '../../receivers/index.js';
import type { DialSignal } from '../dial/dial-signal.js';
import type { Target } from '../dial/target.js';

/** Where one connection goes, and where else when that cannot be reached. Nothing in it throws, but `next`. */
export interface Route {
  /**
   * Chooses the next target. Called for each attempt. A refusal answers the client with that instead.
   *
   * @throws TidegateError `NO_BACKEND` or `BACKENDS_FULL` when there is none; the promise rejects with the same.
   */
  next(signal: DialSignal): Target | Refusal | Promise<Target | Refusal>;
  /** Milliseconds after which an attempt is given up if there is another target; 0 for never. */
  readonly attemptTimeout: number;
  /** Whether another target would be tried now if the one that is dialled could not be reached. */
  readonly hasAnother: boolean;
  /** Seconds after which a client may try again when there is none: `Retry-After`. */
  readonly retryAfter: number;
  /** The target that was chosen last could not be reached, or refused. Answers whether another one is to be tried. */
  failed(refusal: Refusal): boolean;
  /** The target that was chosen last is connected. Answers whether it is still wanted: else it failed, with `NO_BACKEND`. */
  connected(): boolean;
  /** Header fields for the answer to the client, beside those of the receiver. Asked for when it is connected. */
  readonly headers: HeaderFields | undefined;
  /** What a WebSocket target gets of the header fields of the client's request, names and values in turn. */
  requestHeaders(rawHeaders: readonly string[]): readonly string[];
  /**
   * The client and its target are not connected any more, or never were. Called once, and last.
   *
   * @param ending undefined before it was connected.
   * @param refusal why it never was, when it was not the client that left: also that all took too long, which `failed` is not told.
   */
  over(ending: Ending | undefined, refusal?: Refusal): void;
  /** What the client is told when its target was lost without a word. */
  lossEnding(): Ending;
}

/** Chooses where connections go. */
export interface Routes {
  /** What all targets speak: the data path is chosen before there is one. */
  readonly speaks: 'websocket' | 'bytes';
  /** Begins the way of one connection. */
  routeFor(request: UpgradeRequest, occupant: Occupant & { readonly id: string }): Route;
}
