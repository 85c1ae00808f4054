/** Owns the answers of the admin API about why a connection is where it is. Refuses to know HTTP. */
import { TidegateError } from '../../receivers/index.js';
import type { AdminRoute } from '../admin/admin-route.js';
import type { Administration } from '../admin/administration.js';
import { explain } from './explain.js';

/** The route of one server. From now on it remembers the connections that end: whoever asks mostly comes afterwards. */
export function explainRoutes({ observation }: Administration): AdminRoute[] {
  observation.ends.keep();
  return [
    {
      method: 'GET',
      path: '/api/v1/connections/{id}/explain',
      query: [],
      answer: ({ params: { id = '' } }) => {
        const body = explain(observation, id);
        if (body !== undefined) return { status: 200, body };
        throw new TidegateError('UNKNOWN_CONNECTION', `there is no connection ${JSON.stringify(id)}, and none lately`);
      },
    },
  ];
}
