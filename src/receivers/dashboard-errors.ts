/** Owns the part of the table of error codes that is about the dashboard. */
import type { ErrorEntry } from './error-entry.js';

/** What the page of the dashboard can be refused for. */
export const DASHBOARD_ERRORS = {
  DASHBOARD_NOT_BUILT: {
    whose: 'operator',
    status: 503,
    help: 'The page is made by `npm run build`; an installed package has it in dist/dashboard/index.html.',
  },
} as const satisfies Record<string, ErrorEntry>;
