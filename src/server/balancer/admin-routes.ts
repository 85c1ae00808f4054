/** Owns what the admin API answers about the backends of a balancer. Refuses to know HTTP, and what the verbs do. */
import { z } from 'zod';
import type { BackendInfo } from '../../actors/backend.js';
import { TidegateError } from '../../receivers/index.js';
import { readBody } from '../admin/admin-input.js';
import type { AdminAnswer, AdminRequest, AdminRoute } from '../admin/admin-route.js';
import type { Readiness } from '../admin/probe-routes.js';
import type { BackendInput, BackendPatch } from '../config/balancer/backends.js';
import type { ServerState } from '../server-snapshot.js';
import type { PoolInfo } from './pool-info.js';

/** What of a balancer the admin API speaks to. */
export interface AdministeredBalancer {
  readonly state: ServerState;
  pool(): PoolInfo;
  backends(): BackendInfo[];
  addBackend(input: BackendInput): BackendInfo;
  updateBackend(id: string, changes: BackendPatch): BackendInfo;
  drainBackend(id: string): BackendInfo;
  resumeBackend(id: string): BackendInfo;
  removeBackend(id: string): BackendInfo;
}

const BACKENDS = '/api/v1/backends';
const ONE = `${BACKENDS}/{id}`;

const nothing = z.strictObject({});

/** The routes of a balancer. */
export function balancerRoutes(balancer: AdministeredBalancer): AdminRoute[] {
  const about = (verb: (id: string, request: AdminRequest) => BackendInfo, status = 200) => ({
    query: [],
    answer: (request: AdminRequest): AdminAnswer => ({ status, body: verb(request.params.id!, request) }),
  });
  return [
    { method: 'GET', path: '/api/v1/pool', query: [], answer: () => ({ status: 200, body: balancer.pool() }) },
    {
      method: 'GET',
      path: BACKENDS,
      query: [],
      answer: () => ({ status: 200, body: { backends: balancer.backends() } }),
    },
    {
      method: 'POST',
      path: BACKENDS,
      query: [],
      answer: ({ body }) => added(balancer.addBackend(objectOf(body) as BackendInput)),
    },
    { method: 'GET', path: ONE, ...about((id) => find(balancer, id)) },
    {
      method: 'PATCH',
      path: ONE,
      ...about((id, { body }) => balancer.updateBackend(id, objectOf(body) as BackendPatch)),
    },
    // It is gone when its clients are: that takes its time.
    { method: 'DELETE', path: ONE, ...about((id) => balancer.removeBackend(id), 202) },
    { method: 'POST', path: `${ONE}/drain`, ...about((id, { body }) => balancer.drainBackend(withNothing(id, body))) },
    {
      method: 'POST',
      path: `${ONE}/resume`,
      ...about((id, { body }) => balancer.resumeBackend(withNothing(id, body))),
    },
  ];
}

/** The same id. @throws TidegateError `ADMIN_BAD_REQUEST` for a body that says something. */
function withNothing(id: string, body: unknown): string {
  readBody(nothing, body);
  return id;
}

function added(backend: BackendInfo): AdminAnswer {
  return { status: 201, body: backend, headers: { Location: `${BACKENDS}/${encodeURIComponent(backend.id)}` } };
}

function find(balancer: AdministeredBalancer, id: string): BackendInfo {
  const found = balancer.backends().find((backend) => backend.id === id);
  if (found === undefined) throw new TidegateError('UNKNOWN_BACKEND', `there is no backend ${JSON.stringify(id)}`);
  return found;
}

function objectOf(body: unknown): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new TidegateError('ADMIN_BAD_REQUEST', 'the body: expected a JSON object');
}

/** Clients may be sent to a balancer that has somebody for them. */
export function readinessOf(balancer: AdministeredBalancer): Readiness {
  if (balancer.state !== 'running') return { ready: false, detail: `the balancer is ${balancer.state}` };
  const { available, backends } = balancer.pool();
  const detail = `${available} of ${backends} backends are available`;
  return { ready: available > 0, detail };
}
