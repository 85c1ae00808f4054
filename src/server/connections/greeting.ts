/** Owns the contract of what answers a client: with an upgrade, or without a word. Refuses to decide which answer it is. */
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { ERRORS, type HeaderFields } from '../../receivers/index.js';
import type { DataPath } from '../paths/data-path.js';
import type { Wire } from '../wires/wire.js';
import type { ConnectionServices } from './connection-services.js';
import type { EarlyAnswer, Plan } from './plan.js';
import type { UpstreamAnswer } from './upstream-shell.js';

/** The first thing that is said to a client. Held until it is said: there may be many connections. */
export interface Greeting {
  /** What the client was told before there was a plan, if it was. */
  readonly early: EarlyAnswer | undefined;
  /** Where a client that speaks plain TCP was sent by whoever took it in. */
  readonly offeredTarget?: string | undefined;
  /** The head of the 101 as it was written; undefined where there is none. */
  readonly head?: string | undefined;
  /** The subprotocol that was agreed on; empty before, and for none. */
  readonly subprotocol: string;
  /**
   * Answers the client, and makes the data path that reads it from then on.
   *
   * @param answered what a WebSocket target that was dialled first agreed to.
   * @param headers header fields beside those of the plan.
   */
  accept(plan: Plan, answered: UpstreamAnswer | undefined, headers?: HeaderFields): DataPath;
  /** Turns the client away. */
  refuse(refusal: Refusal): void;
}

/** What every greeting needs. */
export interface GreetingParts {
  readonly connection: ConnectionActor;
  readonly services: ConnectionServices;
  readonly wire: Wire;
}

/** Where the target is and how it failed is for the log and the `rejected` event; a client learns only what kind it was. */
export function toldToClient({ error, message }: Refusal): string {
  const { whose, help } = ERRORS[error];
  return whose === 'upstream' || whose === 'operator' ? help : message;
}
