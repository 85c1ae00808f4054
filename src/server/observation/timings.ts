/** Owns how long handshakes, dials, round trips and connections took. Refuses to know when they begin; the actors do. */
import type { AnyEventObject } from 'xstate';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { StepObserver } from '../../actors/step-observer.js';
import type { UpstreamActor } from '../../actors/upstream-actor.js';
import type { CloseReport } from '../../receivers/index.js';
import { Distribution } from './distribution.js';
import type { ObservedParts, Onlooker, Side } from './onlooker.js';

/** Seconds: from what happens within one process to what a deadline of ten seconds ends. */
const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Seconds: from a page that was left at once to a connection of a day. */
const LONG = [1, 10, 60, 300, 900, 3600, 14_400, 86_400];

/** How long what happens in the life of a connection took. They outlive restarts. */
export class Timings implements Onlooker, StepObserver {
  readonly accepted = new Distribution(SHORT);
  readonly refusedHandshakes = new Distribution(SHORT);
  readonly dialled = new Distribution(SHORT);
  readonly failedDials = new Distribution(SHORT);
  readonly roundTrips: Readonly<Record<Side, Distribution>> = {
    downstream: new Distribution(SHORT),
    upstream: new Distribution(SHORT),
  };
  readonly lives = new Distribution(LONG);

  began({ supervisor }: ObservedParts): void {
    supervisor.steps.observe(this);
  }

  opened({ port }: ConnectionActor): void {
    this.accepted.add(since(port.beganAt));
  }

  refused({ port }: ConnectionActor): void {
    this.refusedHandshakes.add(since(port.beganAt));
  }

  closed(_connection: ConnectionActor, { durationMs }: CloseReport): void {
    this.lives.add(durationMs / 1000);
  }

  answeredPing(side: Side, ms: number): void {
    this.roundTrips[side].add(ms / 1000);
  }

  upstreamStepped({ beganAt, chartValue }: UpstreamActor, { type }: AnyEventObject): void {
    if (chartValue === 'unreachable') this.failedDials.add(since(beganAt));
    else if (type === 'dial.succeeded' && typeof chartValue === 'object') this.dialled.add(since(beganAt));
  }
}

function since(began: number): number {
  return (performance.now() - began) / 1000;
}
