/** Owns where the dashboard is served. Refuses to tell anything with it: the page asks the API, which wants the token. */
import type { AdminRoute } from '../admin/admin-route.js';
import { type DashboardPage, readDashboardPage } from './dashboard-page.js';

const PLACE = '/dashboard';

/** The routes of the page; they need no token, since the page tells nothing by itself. */
export function dashboardRoutes(): AdminRoute[] {
  // Read when it is first asked for, and kept: a server whose page nobody opens does not hold it.
  let page: DashboardPage | undefined;
  return [
    { method: 'GET', path: '/', open: true, answer: () => ({ status: 302, body: {}, headers: { Location: PLACE } }) },
    {
      method: 'GET',
      path: PLACE,
      open: true,
      answer: () => {
        page ??= readDashboardPage();
        return { status: 200, type: 'text/html; charset=utf-8', text: page.html, headers: page.headers };
      },
    },
  ];
}
