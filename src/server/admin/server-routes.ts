/** Owns what can be asked of every server through an admin API. Refuses to know HTTP. */
import { explainRoutes } from '../explain/explain-routes.js';
import { inspectionRoutes } from '../inspection/inspection-routes.js';
import type { AdminRoute } from './admin-route.js';
import type { Administration } from './administration.js';
import { connectionRoutes } from './connection-routes.js';
import { connectionVerbs } from './connection-verbs.js';
import { readProcess } from './process-stats.js';
import { recordingRoutes } from './recording-routes.js';
import { serverVerbs } from './server-verbs.js';
import { readStats } from './stats.js';

/** The routes of one server, those of its kind included. */
export function serverRoutes(server: Administration): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/stats',
      query: [],
      answer: async () => {
        // First, since it may take a moment: the numbers of the server are those of the answer's time.
        const process = await readProcess();
        return { status: 200, body: { ...readStats(server), process } };
      },
    },
    ...connectionRoutes(server),
    ...explainRoutes(server),
    ...connectionVerbs(server),
    ...serverVerbs(server),
    ...inspectionRoutes(server),
    ...recordingRoutes(server),
    ...server.createRoutes(),
  ];
}
