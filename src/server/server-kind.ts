/** Owns the contract of what one kind of server is made with. Refuses to know which there are. */
import type { AdministeredVerbs, Administration } from './admin/administration.js';
import { readinessOf } from './admin/probe-routes.js';
import type { AdmissionRecord } from './admission/admission-record.js';
import type { Observation } from './observation/observation.js';
import type { RunningOptions } from './running-server.js';

/** What tells one kind of server from the others. */
export interface ServerKind extends Pick<RunningOptions, 'needsTarget' | 'extend' | 'farewell'> {
  readonly name: Administration['kind'];
  /** Whether clients may be sent to it, where running is not enough. */
  readonly readiness?: Administration['readiness'];
  /** What its admin API answers beside what that of every server does. */
  readonly adminRoutes?: Administration['createRoutes'];
  /** Numbers beside those of every server. */
  readonly ownStats?: Administration['ownStats'];
}

/** What the admin side of a server of this kind gets. */
export function administrationOf(
  { name, readiness, adminRoutes, ownStats }: ServerKind,
  verbs: AdministeredVerbs,
  observation: Observation,
  record: AdmissionRecord,
): Administration {
  return {
    kind: name,
    verbs,
    observation,
    record,
    readiness: readiness ?? (() => readinessOf(verbs)),
    createRoutes: adminRoutes ?? (() => []),
    ownStats: ownStats ?? (() => ({})),
    process: undefined,
  };
}
