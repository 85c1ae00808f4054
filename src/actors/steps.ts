/** Owns who learns of the steps that the charts of a server take: the history of each pair, and observers. Refuses to take any. */
import type { AnyEventObject, StateValue } from 'xstate';
import type { ConnectionActor } from './connection-actor.js';
import { History } from './history.js';
import type { StepObserver } from './step-observer.js';
import type { UpstreamActor } from './upstream-actor.js';

/** One that wants the steps of one side. */
type Observing<Name extends keyof StepObserver> = StepObserver & Required<Pick<StepObserver, Name>>;

/** The steps of one server. */
export class Steps {
  readonly #historySize: number;
  // Replaced and not changed: one that is told may leave.
  #ofConnections: readonly Observing<'connectionStepped'>[] = [];
  #ofUpstreams: readonly Observing<'upstreamStepped'>[] = [];

  /** @param historySize how many steps of each pair are kept; 0 keeps none. */
  constructor(historySize: number) {
    this.#historySize = historySize;
  }

  /** From now on this one is told. Answers with what ends it. */
  observe(observer: StepObserver): () => void {
    if (observes(observer, 'connectionStepped')) this.#ofConnections = [...this.#ofConnections, observer];
    if (observes(observer, 'upstreamStepped')) this.#ofUpstreams = [...this.#ofUpstreams, observer];
    return () => {
      this.#ofConnections = this.#ofConnections.filter((one) => one !== observer);
      this.#ofUpstreams = this.#ofUpstreams.filter((one) => one !== observer);
    };
  }

  connection(connection: ConnectionActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.#historyOf(connection)?.note('connection', event, connection.chartValue, before);
    for (const observer of this.#ofConnections) observer.connectionStepped(connection, event, before);
  }

  upstream(upstream: UpstreamActor, event: AnyEventObject, before: StateValue | undefined): void {
    this.#historyOf(upstream.connection)?.note('upstream', event, upstream.chartValue, before);
    for (const observer of this.#ofUpstreams) observer.upstreamStepped(upstream, event, before);
  }

  #historyOf(connection: ConnectionActor): History | undefined {
    if (connection.history === undefined && this.#historySize > 0) {
      connection.history = new History(this.#historySize);
    }
    return connection.history;
  }
}

function observes<Name extends keyof StepObserver>(observer: StepObserver, name: Name): observer is Observing<Name> {
  return observer[name] !== undefined;
}
