/** Owns the part of the table of error codes that is about watching a server. */
import type { ErrorEntry } from './error-entry.js';

/** What looking at charts as they move can fail for. */
export const INSPECTION_ERRORS = {
  TOO_MANY_WATCHERS: {
    whose: 'operator',
    status: 503,
    help: 'Each that watches the charts of a server costs something, so there are at most 16; close a page that is not needed.',
  },
} as const satisfies Record<string, ErrorEntry>;
