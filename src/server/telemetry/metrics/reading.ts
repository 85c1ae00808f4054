/** Owns everything that metrics say of one server, read at one moment. Refuses to keep any of it, and to know how it is written down. */
import type { BackendInfo } from '../../../actors/backend.js';
import type { Administration } from '../../admin/administration.js';
import type { RefusalSnapshot } from '../../admission/refusal-counts.js';
import type { RegistrationSnapshot } from '../../balancer/control/registration-counts.js';
import { countStates, type StateCounts } from '../../observation/state-counts.js';
import type { ThrottleSnapshot } from '../../observation/throttles.js';
import type { Timings } from '../../observation/timings.js';
import type { DetailedTotals } from '../../observation/totals.js';

/** One server at one moment. */
export interface ServerReading {
  /** What the server is called on its admin side. */
  readonly server: string;
  readonly kind: string;
  readonly state: string;
  readonly ready: boolean;
  readonly states: StateCounts;
  readonly totals: DetailedTotals;
  readonly timings: Timings;
  readonly throttles: Readonly<Record<'downstream' | 'upstream', ThrottleSnapshot>>;
  readonly refusals: RefusalSnapshot;
  readonly bans: number;
  readonly heldBytes: number;
  readonly dials: { readonly running: number; readonly waiting: number };
  /** Undefined where none are to be warm. */
  readonly warm: number | undefined;
  /** Undefined for every server but a balancer. */
  readonly pool: PoolReading | undefined;
}

/** The backends of a balancer at one moment. */
export interface PoolReading {
  readonly state: string;
  readonly waiting: number;
  readonly backends: readonly BackendInfo[];
  readonly registrations: RegistrationSnapshot | undefined;
}

/** Reads a server; walks over every connection. */
export function readServer(
  server: string,
  { kind, verbs, observation, record, readiness }: Administration,
): ServerReading {
  const { parts, totals, timings, throttles } = observation;
  return {
    server,
    kind,
    state: verbs.state,
    ready: readiness().ready,
    states: parts === undefined ? {} : countStates(parts.supervisor),
    totals: totals.detailed(),
    timings,
    throttles: throttles.snapshot(),
    refusals: record.refusals.snapshot(),
    bans: record.bans.count,
    heldBytes: parts?.heldBytes() ?? 0,
    dials: { running: parts?.dials.running ?? 0, waiting: parts?.dials.waiting ?? 0 },
    warm: parts?.warm?.idle,
    pool: readPool(observation.parts),
  };
}

function readPool(parts: Administration['observation']['parts']): PoolReading | undefined {
  if (parts?.pool === undefined) return undefined;
  const { pool, registrations } = parts;
  return {
    state: String(pool.chartValue),
    waiting: pool.waiting,
    backends: pool.info(),
    registrations: registrations?.snapshot(),
  };
}
