/** Owns the part of the table of error codes that is about the admin API. */
import type { ErrorEntry } from './error-entry.js';

/** What a request to the admin API can be refused for, beside what it asks for. */
export const ADMIN_ERRORS = {
  ADMIN_REFUSED: {
    whose: 'operator',
    status: 403,
    help: 'The admin API answers by its IP address, `localhost` or the host of `admin.listen` only, and no page of another origin.',
  },
  ADMIN_UNAUTHORIZED: {
    whose: 'operator',
    status: 401,
    help: 'The admin API wants the secret of `admin.token`: `Authorization: Bearer SECRET`.',
  },
  ADMIN_NOT_FOUND: { whose: 'operator', status: 404, help: 'docs/reference/admin-api.md lists what there is.' },
  ADMIN_METHOD: { whose: 'operator', status: 405, help: 'The field Allow says which methods there are.' },
  ADMIN_BAD_REQUEST: { whose: 'operator', status: 400, help: 'The message says what is wrong with the request.' },
  ADMIN_BODY_TYPE: {
    whose: 'operator',
    status: 415,
    help: 'A change is JSON and says so: `Content-Type: application/json`.',
  },
  ADMIN_BODY_TOO_LARGE: { whose: 'operator', status: 413, help: 'A change takes at most 64 KiB.' },
  ADMIN_FAILED: { whose: 'us', status: 500, help: 'That is a fault of the server; its event `exception` says more.' },
} as const satisfies Record<string, ErrorEntry>;
