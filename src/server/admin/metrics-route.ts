/** Owns where metrics are asked for. Refuses to know what they are. */
import { Metrics } from '../telemetry/metrics/metrics.js';
import type { AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';

/** The route `/metrics`, of all servers at once. */
export function metricsRoute(servers: ReadonlyMap<string, Administration>): AdminRoute {
  const metrics = new Metrics(servers);
  return {
    method: 'GET',
    path: '/metrics',
    query: [],
    answer: async () => ({ status: 200, ...(await metrics.expose()) }),
  };
}
