/** Owns the events of a load balancer and their shapes, beside those of every server. Refuses to decide anything. */
import type { BackendHealth, BackendInfo } from '../../actors/backend.js';
import type { Connection } from '../../receivers/index.js';
import type { ServerEvents } from '../events.js';
import type { HttpReport } from '../http/http-hooks.js';

/** The events of a load balancer, by name, with what a listener gets. */
export interface LoadBalancerEvents extends ServerEvents {
  /** A control channel is open: who it is of is not known yet, and it gets no clients (sgc: OnServerConnect). After `connection`. */
  'backend.connected': [channel: Connection];
  /** A backend may be picked from now on: at its first time, after a drain, and when it registered anew (sgc: OnServerReady). */
  'backend.ready': [backend: BackendInfo];
  /** A backend is picked no more; its clients meet the fate that `drain` says. */
  'backend.draining': [backend: BackendInfo];
  /** The control channel of a backend ended or fell silent (sgc: OnServerDisconnect). It is out of the pool already. */
  'backend.lost': [backend: BackendInfo, code: number];
  /** Whether a backend is well is judged otherwise than before. */
  'backend.health': [backend: BackendInfo, health: BackendHealth];
  /** A backend is no backend any more, and nobody is on it. */
  'backend.gone': [backend: BackendInfo];
  /** A registration was turned away. Changes nothing. */
  'registration.refused': [refused: RefusedRegistration];
  /** A client is connected with a backend (sgc: OnClientConnect). Exactly once for each that is, after its `connection`. */
  'client.paired': [connection: Connection, backend: BackendInfo];
  /** Exactly once for each that was paired, before its `disconnected` (sgc: OnClientDisconnect). */
  'client.unpaired': [connection: Connection, backend: BackendInfo];
  /** A plain request is over: answered, refused or cut. For logs; exactly once for each that was not for somebody else. */
  'http.request': [report: HttpReport];
}

/** A registration that was turned away. */
export interface RefusedRegistration {
  /** Such as `unauthorized`, `malformed`, `too many`. */
  readonly why: string;
  readonly message: string;
  readonly remoteAddress: string | undefined;
  /** The id that it wanted; undefined when it did not come to that. */
  readonly backend: string | undefined;
}
