/** Owns what the admin side needs of a server. Refuses to know HTTP, and what kinds of servers there are. */
import type { Connection } from '../../receivers/index.js';
import type { AdmissionRecord } from '../admission/admission-record.js';
import type { Observation } from '../observation/observation.js';
import type { CertificateReport } from '../tls/server-certificates.js';
import type { AdminRoute } from './admin-route.js';
import type { Readiness } from './probe-routes.js';
import type { ProcessControl } from './process-control.js';

/** What of every server is spoken to by its public verbs. */
export interface AdministeredVerbs {
  readonly state: 'stopped' | 'starting' | 'running' | 'draining';
  readonly addresses: readonly { readonly url: string }[];
  connection(id: string): Connection | undefined;
  disconnectAll(): Promise<number>;
  terminateAll(): number;
  reloadCertificates(): readonly CertificateReport[];
  stop(): Promise<void>;
  snapshot(): object;
}

/** A server as its admin side sees it. */
export interface Administration {
  readonly kind: 'proxy' | 'receiver' | 'balancer';
  readonly verbs: AdministeredVerbs;
  readonly observation: Observation;
  /** Bans and refusals. */
  readonly record: AdmissionRecord;
  /** Whether clients may be sent to it. */
  readiness(): Readiness;
  /** What can be asked of its kind only. */
  createRoutes(): readonly AdminRoute[];
  /** The numbers of its kind only. */
  ownStats(): object;
  /** Set by whoever runs the process for it, such as the command line. */
  process: ProcessControl | undefined;
}

/** The name of a server's method for its admin side. In no public face: it may change. */
export const administration: unique symbol = Symbol('administration');

/** A server that has an admin side. */
export interface Administered {
  [administration](): Administration;
}
