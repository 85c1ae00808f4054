/** Owns everything that looks at one server. Refuses to look itself, and to know who asks. */
import type { Refusal } from '../../actors/connection.effects.js';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import type { CloseReport } from '../../receivers/index.js';
import type { ProxyConfig } from '../config/options.js';
import type { ServerEvents } from '../events.js';
import { EndedConnections } from '../explain/ended-connections.js';
import type { ServerHooks } from '../hooks.js';
import { InspectionHub } from '../inspection/inspection-hub.js';
import { Recorder } from '../recording/recorder.js';
import { Diagnostics } from '../telemetry/diagnostics/diagnostics.js';
import { Tracing } from '../telemetry/tracing/tracing.js';
import type { ObservedParts, Onlooker, Side } from './onlooker.js';
import { Throttles } from './throttles.js';
import { Timings } from './timings.js';
import { Totals } from './totals.js';

/** What is looked at. */
export interface ObservationOptions {
  readonly config: ProxyConfig;
  readonly hooks: Pick<ServerHooks, 'redact'>;
  /** For whoever is told of several servers. */
  readonly server: object;
  /** Tells an event of the server; never throws. */
  tell<Name extends keyof ServerEvents>(name: Name, ...values: ServerEvents[Name]): void;
}

/** One that wants to know of something. */
type Wanting<Name extends keyof Onlooker> = Onlooker & Required<Pick<Onlooker, Name>>;

type Told = { readonly [Name in Exclude<keyof Onlooker, 'began' | 'ended'>]: readonly Wanting<Name>[] };

/** The onlookers of one server. They outlive its restarts. */
export class Observation {
  readonly totals = new Totals();
  readonly timings = new Timings();
  readonly throttles = new Throttles();
  /** Connections that are over. */
  readonly ends = new EndedConnections();
  /** Who watches the charts move. */
  readonly inspection = new InspectionHub();
  readonly recorder: Recorder;
  readonly tracing: Tracing;
  readonly #onlookers: readonly Onlooker[];
  /** Those who want to know what happens to each connection: few of them want all, and connections come often. */
  readonly #told: Told;
  #parts: ObservedParts | undefined;

  constructor({ config, hooks, server, tell }: ObservationOptions) {
    const { recording, subprotocols = [] } = config;
    const exception = (error: unknown) => tell('exception', error, undefined);
    this.tracing = new Tracing(config.tracing, exception);
    this.recorder = new Recorder({
      config: recording,
      subprotocols,
      redact: hooks.redact,
      tell: (report) => tell('recording', report),
      exception,
    });
    const { totals, timings, throttles, ends, inspection, tracing, recorder } = this;
    const all = [totals, timings, throttles, ends, inspection, tracing, new Diagnostics(server), recorder];
    this.#onlookers = all;
    this.#told = {
      opened: wanting(all, 'opened'),
      refused: wanting(all, 'refused'),
      closed: wanting(all, 'closed'),
      answeredPing: wanting(all, 'answeredPing'),
      told: wanting(all, 'told'),
    };
  }

  /** Whether there is an admin side, which may ask afterwards what happened. */
  get isAdministered(): boolean {
    return this.ends.isKeeping;
  }

  /** What there is to look at now; undefined unless the server runs. */
  get parts(): ObservedParts | undefined {
    return this.#parts;
  }

  began(parts: ObservedParts): void {
    this.#parts = parts;
    for (const onlooker of this.#onlookers) onlooker.began?.(parts);
  }

  ended(): void {
    this.#parts = undefined;
    for (const onlooker of this.#onlookers) onlooker.ended?.();
  }

  opened(connection: ConnectionActor): void {
    for (const onlooker of this.#told.opened) onlooker.opened(connection);
  }

  refused(connection: ConnectionActor, refusal: Refusal): void {
    for (const onlooker of this.#told.refused) onlooker.refused(connection, refusal);
  }

  closed(connection: ConnectionActor, report: CloseReport): void {
    for (const onlooker of this.#told.closed) onlooker.closed(connection, report);
  }

  answeredPing(side: Side, ms: number): void {
    for (const onlooker of this.#told.answeredPing) onlooker.answeredPing(side, ms);
  }

  told<Name extends keyof ServerEvents>(name: Name, values: ServerEvents[Name]): void {
    for (const onlooker of this.#told.told) onlooker.told(name, values);
  }
}

function wanting<Name extends keyof Onlooker>(all: readonly Onlooker[], name: Name): readonly Wanting<Name>[] {
  return all.filter((onlooker): onlooker is Wanting<Name> => onlooker[name] !== undefined);
}
