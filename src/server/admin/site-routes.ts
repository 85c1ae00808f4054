/** Owns what can be asked of an admin API whichever of its servers is meant. Refuses to know HTTP. */
import { dashboardRoutes } from '../dashboard/dashboard-routes.js';
import type { AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';
import { metricsRoute } from './metrics-route.js';
import { probeRoutes, type Readiness } from './probe-routes.js';

/** The routes of the site. */
export function siteRoutes(servers: ReadonlyMap<string, Administration>): AdminRoute[] {
  return [
    ...probeRoutes(() => readinessOf(servers)),
    ...dashboardRoutes(),
    metricsRoute(servers),
    {
      method: 'GET',
      path: '/api/v1/servers',
      query: [],
      answer: () => ({ status: 200, body: { servers: listOf(servers) } }),
    },
  ];
}

function listOf(servers: ReadonlyMap<string, Administration>): object[] {
  return [...servers].map(([name, { kind, verbs }]) => {
    const { state, addresses } = verbs;
    return { name, kind, state, addresses: addresses.map(({ url }) => url) };
  });
}

/** All of them have to be ready; the first that is not says why. */
function readinessOf(servers: ReadonlyMap<string, Administration>): Readiness {
  const all = [...servers].map(([name, server]) => ({ name, ...server.readiness() }));
  const [first] = all;
  if (all.length === 1 && first !== undefined) return { ready: first.ready, detail: first.detail };
  const unready = all.find(({ ready }) => !ready);
  if (unready !== undefined) return { ready: false, detail: `${unready.name}: ${unready.detail}` };
  return { ready: true, detail: `${all.length} servers are ready` };
}
