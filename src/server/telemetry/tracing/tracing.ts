/**
 * Owns turning the steps of connections and upstreams into spans, while the process has an OpenTelemetry SDK, and what goes on of a trace
 * to a target. Refuses to do anything without one: that is asked once for each connection.
 */
import { type Context, propagation, ROOT_CONTEXT, type TextMapGetter } from '@opentelemetry/api';
import type { AnyEventObject, StateValue } from 'xstate';
import type { Refusal } from '../../../actors/connection.effects.js';
import type { ConnectionActor } from '../../../actors/connection-actor.js';
import type { StepObserver } from '../../../actors/step-observer.js';
import type { UpstreamActor } from '../../../actors/upstream-actor.js';
import type { CloseReport, UpgradeRequest } from '../../../receivers/index.js';
import type { ProxyConfig } from '../../config/options.js';
import type { ObservedParts, Onlooker } from '../../observation/onlooker.js';
import { ConnectionTrace } from './connection-trace.js';
import { findTracer } from './provider.js';

type Headers = UpgradeRequest['headers'];

const FROM_HEADERS: TextMapGetter<Headers> = {
  keys: (headers) => Object.keys(headers),
  get: (headers, key) => headers[key.toLowerCase()],
};

/** The traces of one server. */
export class Tracing implements Onlooker, StepObserver {
  readonly #traces = new Map<ConnectionActor, ConnectionTrace>();
  readonly #enabled: boolean;
  readonly #exception: (error: unknown) => void;

  /** @param exception told of what an SDK throws. */
  constructor({ enabled }: ProxyConfig['tracing'], exception: (error: unknown) => void) {
    this.#enabled = enabled;
    this.#exception = exception;
  }

  began({ supervisor }: ObservedParts): void {
    if (this.#enabled) supervisor.steps.observe(this);
  }

  connectionStepped(connection: ConnectionActor, { type }: AnyEventObject, before: StateValue | undefined): void {
    if (before === undefined) this.#begin(connection);
    else if (this.#traces.size > 0 && (type === 'pressure.high' || type === 'pressure.low')) {
      this.#safely(() => this.#traces.get(connection)?.throttled(type === 'pressure.high'));
    }
  }

  upstreamStepped(upstream: UpstreamActor, _event: AnyEventObject, before: StateValue | undefined): void {
    if (this.#traces.size === 0) return;
    const found = this.#traces.get(upstream.connection);
    if (found === undefined) return;
    const { target } = upstream.connection.port;
    if (before === undefined) this.#safely(() => found.dialling(target));
    else if (upstream.chartValue === 'unreachable') this.#safely(() => found.dialFailed(target, upstream.refusal));
    else if (before === 'dialling') this.#safely(() => found.dialled(target));
  }

  opened(connection: ConnectionActor): void {
    const { subprotocol, target } = connection.port;
    this.#safely(() => this.#traces.get(connection)?.opened(subprotocol, target));
  }

  refused(connection: ConnectionActor, refusal: Refusal): void {
    this.#end(connection, (found) => found.refused(refusal));
  }

  closed(connection: ConnectionActor, report: CloseReport): void {
    this.#end(connection, (found) => found.closed(report));
  }

  /**
   * What a target is told of the header fields of a client's request, names and values in turn: where there is a trace, its context in
   * the place of what the client said.
   */
  carry(connection: ConnectionActor, rawHeaders: readonly string[]): readonly string[] {
    const context = this.#traces.size === 0 ? undefined : this.#traces.get(connection)?.carried;
    if (context === undefined) return rawHeaders;
    return this.#safely(() => injected(context, rawHeaders)) ?? rawHeaders;
  }

  #begin(connection: ConnectionActor): void {
    const tracer = findTracer();
    if (tracer === undefined) return;
    const { id, request } = connection;
    this.#safely(() => {
      const caller = propagation.extract(ROOT_CONTEXT, request.headers, FROM_HEADERS);
      this.#traces.set(connection, new ConnectionTrace(tracer, caller, id, request));
    });
  }

  #end(connection: ConnectionActor, end: (found: ConnectionTrace) => void): void {
    const found = this.#traces.size === 0 ? undefined : this.#traces.get(connection);
    if (found === undefined) return;
    this.#traces.delete(connection);
    this.#safely(() => end(found));
  }

  /** An SDK is somebody else's: what it throws ends no connection. */
  #safely<Result>(call: () => Result): Result | undefined {
    try {
      return call();
    } catch (error) {
      this.#exception(error);
      return undefined;
    }
  }
}

function injected(context: Context, rawHeaders: readonly string[]): string[] {
  const carrier: Record<string, string> = {};
  propagation.inject(context, carrier);
  const replaced = new Set([...propagation.fields(), ...Object.keys(carrier)].map((name) => name.toLowerCase()));
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (!replaced.has(name.toLowerCase())) headers.push(name, rawHeaders[at + 1]!);
  }
  for (const [name, value] of Object.entries(carrier)) headers.push(name, value);
  return headers;
}
