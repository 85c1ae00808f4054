/** Owns what is read of an actor that is inspected: which chart it runs, whose it is, and the names it has in frames. Refuses to keep any. */
import { randomBytes } from 'node:crypto';
import type { AnyActorRef, AnyMachineSnapshot } from 'xstate';
import type { ConnectionActor } from '../../actors/connection-actor.js';
import { UpstreamActor } from '../../actors/upstream-actor.js';
import { CHARTS, type ChartName } from './frames.js';

/** Of the charts, whose actors are many. */
interface Port {
  readonly connection?: ConnectionActor;
  readonly counterpart?: unknown;
}

// Each root counts its sessions from 0 on; a page may show several roots, and several processes.
const prefixes = new WeakMap<object, string>();
const definitions = new WeakMap<object, string>();

/** Unique beyond the process, and the same for as long as the actor lives. */
export function sessionOf(ref: AnyActorRef): string {
  let prefix = prefixes.get(ref.system);
  if (prefix === undefined) {
    prefix = randomBytes(3).toString('hex');
    prefixes.set(ref.system, prefix);
  }
  return `${prefix}:${ref.sessionId}`;
}

/** Undefined for a root. */
export function parentOf(ref: AnyActorRef): AnyActorRef | undefined {
  return ref._parent;
}

/** The chart it runs; undefined for an actor that is none of ours. */
export function chartOf(ref: AnyActorRef): ChartName | undefined {
  const { id } = configOf(ref);
  return CHARTS.find((name) => name === id);
}

/** The config of its machine as JSON, functions by their names. Made once for each chart. */
export function definitionOf(ref: AnyActorRef): string {
  const config = configOf(ref);
  let text = definitions.get(config);
  if (text === undefined) {
    text = JSON.stringify(config, (key, value: unknown) =>
      typeof value === 'function' ? { type: value.name || key } : value,
    );
    definitions.set(config, text);
  }
  return text;
}

/** Where it is. Not to be asked before it is started. */
export function snapshotOf(ref: AnyActorRef): AnyMachineSnapshot {
  return ref.getSnapshot() as AnyMachineSnapshot;
}

/** The id of the connection that a connection or an upstream belongs to. */
export function connectionIdOf(ref: AnyActorRef, chart: ChartName): string | undefined {
  if (chart === 'connection') return ref.id;
  return chart === 'upstream' ? portOf(ref)?.connection?.id : undefined;
}

/** The actor of the other side of the pair that a connection or an upstream is one of. */
export function counterpartOf(ref: AnyActorRef, chart: ChartName): AnyActorRef | undefined {
  const port = portOf(ref);
  if (chart === 'upstream') return port?.connection?.chart.self;
  const { counterpart } = port ?? {};
  return counterpart instanceof UpstreamActor ? counterpart.chart.self : undefined;
}

function portOf(ref: AnyActorRef): Port | undefined {
  return (snapshotOf(ref).context as { readonly port?: Port }).port;
}

function configOf(ref: AnyActorRef): { readonly id?: string } {
  return (ref as unknown as { readonly logic: { readonly config: { readonly id?: string } } }).logic.config;
}
