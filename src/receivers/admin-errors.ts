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
  ADMIN_TOO_MANY_STREAMS: {
    whose: 'operator',
    status: 503,
    help: 'Too many streams of the admin API are open at once; close a page or a tool that looks at it.',
  },
  CONNECTION_NOT_OPEN: {
    whose: 'operator',
    status: 409,
    help: 'That needs a connection that is open; one in its handshake, or that is closing, takes no messages.',
  },
  CONTROL_CHANNEL: {
    whose: 'operator',
    status: 409,
    help: 'That is the control channel of a backend and no client; what is said on it is a protocol of its own.',
  },
  NOTHING_TO_RELOAD: {
    whose: 'operator',
    status: 409,
    help: 'The configuration file of `tidegate run` and the certificates of listeners can be read again; there is neither.',
  },
  NO_LOG_LEVEL: {
    whose: 'operator',
    status: 501,
    help: 'The log level can be changed where the command line runs the server; an application has a log of its own.',
  },
  ADMIN_UNREACHABLE: {
    whose: 'operator',
    help: 'Is the server running with an admin API (`--admin`), and is that its address? `--admin` and TIDEGATE_ADMIN name another.',
  },
  ADMIN_FAILED: { whose: 'us', status: 500, help: 'That is a fault of the server; its event `exception` says more.' },
} as const satisfies Record<string, ErrorEntry>;
