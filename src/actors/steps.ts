/** Owns who learns of the steps that the charts of a server take: the history of each pair, and observers. Refuses to take any. */
import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from './connection-actor.js';
import { History } from './history.js';
import type { StepObserver } from './step-observer.js';
import type { UpstreamActor } from './upstream-actor.js';

/** The steps of one server. */
export class Steps {
  readonly #historySize: number;
  // Replaced and not changed: one that is told may leave.
  #observers: readonly StepObserver[] = [];

  /** @param historySize how many steps of each pair are kept; 0 keeps none. */
  constructor(historySize: number) {
    this.#historySize = historySize;
  }

  /** From now on this one is told. Answers with what ends it. */
  observe(observer: StepObserver): () => void {
    this.#observers = [...this.#observers, observer];
    return () => {
      this.#observers = this.#observers.filter((one) => one !== observer);
    };
  }

  connection(connection: ConnectionActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.#historyOf(connection)?.note('connection', event, connection.chartValue, before);
    for (const observer of this.#observers) observer.connectionStepped?.(connection, event, before);
  }

  upstream(upstream: UpstreamActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.#historyOf(upstream.connection)?.note('upstream', event, upstream.chartValue, before);
    for (const observer of this.#observers) observer.upstreamStepped?.(upstream, event, before);
  }

  #historyOf(connection: ConnectionActor): History | undefined {
    if (connection.history === undefined && this.#historySize > 0) {
      connection.history = new History(this.#historySize);
    }
    return connection.history;
  }
}
