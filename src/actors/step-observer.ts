/** Owns the contract of whoever watches the charts of a server move. Refuses to know why they do. */
import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from './connection-actor.js';
import type { UpstreamActor } from './upstream-actor.js';

/**
 * Told of every step of the connections and upstreams of a server, right after it: `chartValue` is where the actor is now. What the step
 * asked for beyond the chart comes later. Nothing in it may throw, and it may not send events to the actor.
 *
 * `event` is `xstate.init` for the first step, and `xstate.after.…` for a deadline; `before` is where the chart was, undefined for the
 * first one. A value is the same object as long as the chart stays where it is.
 */
export interface StepObserver {
  connectionStepped?(connection: ConnectionActor, event: AnyEventObject, before: StateValue | undefined): void;
  upstreamStepped?(upstream: UpstreamActor, event: AnyEventObject, before: StateValue | undefined): void;
}
