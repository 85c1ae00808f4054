/** Owns the part of the table of error codes that is about backends, and about clients that get none. */
import type { ErrorEntry } from './error-entry.js';

/** What goes wrong between a balancer, its backends and those who want one. */
export const BALANCER_ERRORS = {
  REDIRECTED: {
    whose: 'us',
    status: 307,
    help: 'The client was told the address of a backend (`mode: redirect`); connect there.',
  },
  WEBSOCKET_DISABLED: {
    whose: 'downstream',
    status: 403,
    close: 1008,
    help: 'No WebSocket connections are served here (`mode`); plain HTTP requests may be.',
  },
  NO_BACKEND: {
    whose: 'operator',
    status: 503,
    close: 1013,
    help: 'No backend is there that is ready and healthy; `backends()` or the admin API says why.',
  },
  DISCOVERY_FAILED: {
    whose: 'operator',
    help: 'The backends of a name could not be found (discovery.names): ask the same DNS servers, with `dig` for instance. Those that are known stay.',
  },
  UNKNOWN_BACKEND: {
    whose: 'application',
    status: 404,
    help: 'There is no backend with that id; `backends()` lists them.',
  },
  BACKEND_EXISTS: {
    whose: 'application',
    status: 409,
    help: 'Another backend has that id, or one that was removed and still has clients; take another id, or wait for `backend.gone`.',
  },
  NOT_REGISTERED: {
    whose: 'network',
    status: 503,
    help: 'The backend is registered with no balancer now, so that a group cannot be reached; nothing was sent.',
  },
  BALANCER_UNREACHABLE: {
    whose: 'operator',
    help: 'A balancer could not be reached, or did not register the backend; the message says what it answered.',
  },
  REGISTRATION_REFUSED: {
    whose: 'upstream',
    close: 1008,
    help: 'A backend could not register; the event `registration.refused` says why, and the backend is told the same.',
  },
  BACKENDS_FULL: {
    whose: 'us',
    status: 503,
    close: 1013,
    help: 'Every backend has as many connections as its capacity allows; try again later.',
  },
} as const satisfies Record<string, ErrorEntry>;
