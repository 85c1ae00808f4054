/**
 * Owns telling subscribers of `node:diagnostics_channel` what happens on one server. Refuses to make a message that nobody has subscribed
 * to, and to catch what a subscriber throws: Node.js does, and makes an `uncaughtException` of it in a turn of its own.
 */
import { channel } from 'node:diagnostics_channel';
import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from '../../../actors/connection-actor.js';
import type { StepObserver } from '../../../actors/step-observer.js';
import type { UpstreamActor } from '../../../actors/upstream-actor.js';
import { ERRORS } from '../../../receivers/index.js';
import type { LoadBalancerEvents } from '../../balancer/balancer-events.js';
import type { ServerEvents } from '../../events.js';
import type { ObservedParts, Onlooker, Side } from '../../observation/onlooker.js';
import type { DiagnosticsChannel, DiagnosticsMessages } from './messages.js';

const CHANNELS = {
  open: typed('tidegate:connection:open'),
  close: typed('tidegate:connection:close'),
  throttled: typed('tidegate:connection:throttled'),
  unthrottled: typed('tidegate:connection:unthrottled'),
  refused: typed('tidegate:handshake:refused'),
  dialStart: typed('tidegate:upstream:dial:start'),
  dialEnd: typed('tidegate:upstream:dial:end'),
  dialError: typed('tidegate:upstream:dial:error'),
  ready: typed('tidegate:backend:ready'),
  draining: typed('tidegate:backend:draining'),
  lost: typed('tidegate:backend:lost'),
  health: typed('tidegate:backend:health'),
  gone: typed('tidegate:backend:gone'),
};

/** What is published when a server, or a balancer, tells an event of its own. */
const TOLD: {
  readonly [Name in keyof LoadBalancerEvents]?: (server: object, values: LoadBalancerEvents[Name]) => void;
} = {
  connection: (server, [connection]) => CHANNELS.open.tell(() => ({ server, connection })),
  disconnected: (server, [connection, report]) => CHANNELS.close.tell(() => ({ server, connection, report })),
  rejected: (server, [refusal]) => CHANNELS.refused.tell(() => ({ server, refusal })),
  'backend.ready': (server, [backend]) => CHANNELS.ready.tell(() => ({ server, backend })),
  'backend.draining': (server, [backend]) => CHANNELS.draining.tell(() => ({ server, backend })),
  'backend.lost': (server, [backend, code]) => CHANNELS.lost.tell(() => ({ server, backend, code })),
  'backend.health': (server, [backend, health]) => CHANNELS.health.tell(() => ({ server, backend, health })),
  'backend.gone': (server, [backend]) => CHANNELS.gone.tell(() => ({ server, backend })),
};

/** Publishes what happens on one server. */
export class Diagnostics implements Onlooker, StepObserver {
  readonly #server: object;

  constructor(server: object) {
    this.#server = server;
  }

  began({ supervisor }: ObservedParts): void {
    supervisor.steps.observe(this);
  }

  told<Name extends keyof ServerEvents>(name: Name, values: ServerEvents[Name]): void {
    const publish: ((server: object, values: never) => void) | undefined = TOLD[name];
    publish?.(this.#server, values as never);
  }

  connectionStepped(connection: ConnectionActor, { type }: AnyEventObject): void {
    this.#pressure(type, connection, 'downstream');
  }

  upstreamStepped(upstream: UpstreamActor, { type }: AnyEventObject, before: StateValue | undefined): void {
    this.#pressure(type, upstream.connection, 'upstream');
    if (before === undefined) this.#dialling(upstream);
    else if (before === 'dialling') this.#dialOver(upstream);
  }

  #pressure(type: string, { handle: connection }: ConnectionActor, side: Side): void {
    const { throttled, unthrottled } = CHANNELS;
    const to = type === 'pressure.high' ? throttled : type === 'pressure.low' ? unthrottled : undefined;
    to?.tell(() => ({ server: this.#server, connection, side }));
  }

  #dialling({ connection }: UpstreamActor): void {
    CHANNELS.dialStart.tell(() => this.#dial(connection));
  }

  #dialOver({ connection, chartValue, beganAt, refusal }: UpstreamActor): void {
    const durationMs = () => performance.now() - beganAt;
    if (typeof chartValue === 'object') {
      CHANNELS.dialEnd.tell(() => ({ ...this.#dial(connection), durationMs: durationMs() }));
    } else if (chartValue === 'unreachable') {
      const { error = 'DOWNSTREAM_GONE', message = ERRORS.DOWNSTREAM_GONE.help } = refusal ?? {};
      CHANNELS.dialError.tell(() => ({ ...this.#dial(connection), durationMs: durationMs(), error, message }));
    }
  }

  #dial({ handle: connection }: ConnectionActor) {
    return { server: this.#server, connection, target: connection.target };
  }
}

/** A channel that makes a message only when somebody has subscribed. */
function typed<Name extends DiagnosticsChannel>(name: Name) {
  const to = channel(name);
  return {
    tell(message: () => DiagnosticsMessages[Name]): void {
      if (to.hasSubscribers) to.publish(message());
    },
  };
}
