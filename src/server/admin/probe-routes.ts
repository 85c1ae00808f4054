/** Owns the answers for probes: whether a server lives, and whether it is ready for clients. Refuses to decide it. */
import type { AdminRoute } from './admin-route.js';

/** Whether a server is ready for clients, and why not. */
export interface Readiness {
  readonly ready: boolean;
  /** In a few words. */
  readonly detail: string;
}

/** A server that runs is ready. */
export function readinessOf({ state }: { readonly state: string }): Readiness {
  return { ready: state === 'running', detail: `the server is ${state}` };
}

/** The routes `/healthz` and `/readyz`, which need no token. */
export function probeRoutes(readiness: () => Readiness): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/healthz',
      open: true,
      query: [],
      answer: () => ({ status: 200, body: { healthy: true } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      open: true,
      query: [],
      answer: () => {
        const body = readiness();
        return { status: body.ready ? 200 : 503, body };
      },
    },
  ];
}
